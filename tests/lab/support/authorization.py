"""A plug-in for authorization: it lets everything through but lists of containers.

It listens on ADDRESS:PORT, prints a line once it does, and ends with its input.
"""

import http.server
import json
import sys
import threading

ANSWERS = {"/Plugin.Activate": {"Implements": ["authz"]}, "/AuthZPlugin.AuthZRes": {"Allow": True}}


class PlugIn(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if self.path == "/AuthZPlugin.AuthZReq":
            asked = json.loads(body)["RequestUri"]
            answer = {"Allow": "/containers/json" not in asked, "Msg": "not in this lab"}
        else:
            answer = ANSWERS[self.path]
        answer = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


address, port = sys.argv[1].rsplit(":", 1)
server = http.server.ThreadingHTTPServer((address, int(port)), PlugIn)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
