"""A proxy that wants a password: proxy.py USER:PASSWORD LOG

Listens on 127.0.0.1:3128 and leads to the servers on the loopback, whatever name is asked for.
Says so once it listens, writes a line a request into LOG (METHOD TARGET STATUS), and ends when
its input does.
"""

import base64
import os
import socket
import sys
import threading

PORT = 3128
REFUSAL = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\n"
    b'Proxy-Authenticate: Basic realm="lab"\r\n'
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client, wanted, log):
    head = b""
    while b"\r\n\r\n" not in head:
        data = client.recv(65536)
        if not data:
            return
        head += data
    lines = head.split(b"\r\n\r\n")[0].decode().split("\r\n")
    method, target, _ = lines[0].split()
    fields = [line.split(": ", 1) for line in lines[1:]]
    allowed = any(name.lower() == "proxy-authorization" and value == wanted for name, value in fields)
    log.write(f"{method} {target} {200 if allowed else 407}\n")
    if not allowed:
        client.sendall(REFUSAL)
        client.close()
        return
    if method == "CONNECT":
        address = "127.0.0.2" if target.startswith("registry-1.") else "127.0.0.1"
        server = socket.create_connection((address, 443))
        client.sendall(b"HTTP/1.1 200 Go on\r\n\r\n")
    else:
        server = socket.create_connection(("127.0.0.1", 80))
        server.sendall(head)
    threading.Thread(target=copy, args=(client, server), daemon=True).start()
    copy(server, client)


def end_with_input():
    sys.stdin.read()
    os._exit(0)


def main():
    threading.Thread(target=end_with_input, daemon=True).start()
    credentials, log = sys.argv[1:]
    wanted = "Basic " + base64.b64encode(credentials.encode()).decode()
    with open(log, "a", buffering=1) as log, socket.create_server(("127.0.0.1", PORT)) as proxy:
        print("listening", flush=True)
        while True:
            client, _ = proxy.accept()
            threading.Thread(target=serve, args=(client, wanted, log), daemon=True).start()


main()
