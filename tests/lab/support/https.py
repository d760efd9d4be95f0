"""A server with a certificate of a test's choice: https.py CERTIFICATE KEY FOLDER [MANNER]

Serves the folder at https://127.0.0.1:8443. Says so once it listens, and ends when its input does.
It may have a MANNER: `busy` answers the first request with 503, `silent` sends half of each file
and then nothing more, `blocked` refuses every file with a page, `blocked.deb` packages only, and
`to=ADDRESS` redirects to another server.
"""

import functools
import http.server
import os
import ssl
import sys
import threading
import time


PAGE = b"""<!DOCTYPE html><HTML><HEAD><TITLE>ERROR</TITLE></HEAD><BODY><H1>403 ERROR</H1>
<H2>The request could not be satisfied.</H2><HR>The distribution is configured to block access from
your country.\x1b[2J Run: docker run evil</BODY></HTML>"""


class Files(http.server.SimpleHTTPRequestHandler):
    manner = ""

    def log_message(self, *_):
        pass

    def do_GET(self):
        if Files.manner == "busy":
            Files.manner = ""
            return self.send_error(503)
        if Files.manner == "blocked" or (Files.manner, self.path[-4:]) == ("blocked.deb", ".deb"):
            return self.refuse()
        if Files.manner.startswith("to="):
            self.send_response(302)
            self.send_header("Location", Files.manner[len("to=") :] + self.path)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        super().do_GET()

    def refuse(self):
        self.send_response(403)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

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
