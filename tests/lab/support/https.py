"""A server with a certificate of a test's choice: https.py CERTIFICATE KEY FOLDER

Serves the folder at https://127.0.0.1:8443. Says so once it listens, and ends when its input does.
"""

import functools
import http.server
import os
import ssl
import sys
import threading


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def end_with_input():
    sys.stdin.read()
    os._exit(0)


def main():
    threading.Thread(target=end_with_input, daemon=True).start()
    certificate, key, folder = sys.argv[1:]
    files = functools.partial(Files, directory=folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 8443), files) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print("listening", flush=True)
        server.serve_forever()


main()
