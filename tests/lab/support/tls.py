"""A door with TLS before a server: tls.py HOST:PORT CERTIFICATE KEY TARGET_HOST:PORT

Says so once it listens, and ends when its input does.
"""

import os
import socket
import ssl
import sys
import threading


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client, context, target):
    try:
        client = context.wrap_socket(client, server_side=True)
    except OSError:
        return  # whoever asked does not trust the certificate
    server = socket.create_connection(target)
    threading.Thread(target=copy, args=(client, server), daemon=True).start()
    copy(server, client)


def end_with_input():
    sys.stdin.read()
    os._exit(0)


def main():
    threading.Thread(target=end_with_input, daemon=True).start()
    here, certificate, key, there = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(address(here)) as door:
        print("listening", flush=True)
        while True:
            client, _ = door.accept()
            threading.Thread(target=serve, args=(client, context, address(there)), daemon=True).start()


main()
