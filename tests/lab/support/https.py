"""A server with a certificate of a test's choice: https.py CERTIFICATE KEY FOLDER [MANNER]

Serves the folder at https://127.0.0.1:8443. Says so once it listens, and ends when its input does.
It may have a MANNER: `busy` answers the first request with 503, `silent` sends half of each file
and then nothing more.
"""

import functools
import http.server
import os
import ssl
import sys
import threading
import time


class Files(http.server.SimpleHTTPRequestHandler):
    manner = ""

    def log_message(self, *_):
        pass

    def do_GET(self):
        if Files.manner == "busy":
            Files.manner = ""
            return self.send_error(503)
        super().do_GET()

    def copyfile(self, source, outputfile):
        if Files.manner != "silent":
            return super().copyfile(source, outputfile)
        content = source.read()
        outputfile.write(content[: len(content) // 2])
        outputfile.flush()
        time.sleep(600)


def end_with_input():
    sys.stdin.read()
    os._exit(0)


def main():
    threading.Thread(target=end_with_input, daemon=True).start()
    certificate, key, folder, *manner = sys.argv[1:]
    Files.manner = "".join(manner)
    files = functools.partial(Files, directory=folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 8443), files) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print("listening", flush=True)
        server.serve_forever()


main()
