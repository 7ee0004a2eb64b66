#!/usr/bin/python3
"""A node's HTTP interface that lies: it passes requests on to a real node and changes the answers, as the one word in the
file MODE says; `honest` changes nothing. usage: lying_node.py PORT NODE_URL MODE"""
import http.server
import json
import sys
import urllib.error
import urllib.request

PORT, NODE, MODE = int(sys.argv[1]), sys.argv[2], sys.argv[3]
HARMLESS = {"parameter": "ready.max_age_h", "value": 24}


def change(mode, path, answer):
    if mode == "shows_another_action" and "/proposals/" in path:
        answer["actions"] = [HARMLESS]
    if mode == "other_bytes" and "/proposals/" in path:
        answer["actions_cbor"] = answer["actions_cbor"][:-2] + "00"
    if mode == "other_hash" and "/proposals/" in path:
        answer["actions_hash"] = "00" * 32
    if mode == "other_proposal" and "/proposals/" in path:
        answer["id"] = "ff" * 16
    if mode == "endless_names" and "/proposals" in path:
        for p in answer.get("items", [answer]):
            p["waiting_on"] = ["X" * 5000, 7, None] * 50
    if mode == "circle" and "/evidence" in path:
        answer["next"] = "1"
    if mode == "time_ahead" and path.endswith("/hints"):
        answer["time_ms"] = str(int(answer["time_ms"]) + 60 * 86400000)
    return answer


class Node(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        mode = open(MODE, encoding="ascii").read().strip()
        request = urllib.request.Request(NODE + self.path, data=body, headers={"Content-Type": self.headers.get("Content-Type", "")})
        try:
            with urllib.request.urlopen(request, timeout=60) as r:
                status, kind, data = r.status, r.headers["Content-Type"], r.read()
        except urllib.error.HTTPError as e:
            status, kind, data = e.code, e.headers["Content-Type"], e.read()
        if mode == "login_page":
            status, kind, data = 200, "text/html", b"<html>please log in</html>"
        elif mode != "honest" and kind.startswith("application/json"):
            data = json.dumps(change(mode, self.path.split("?")[0], json.loads(data))).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer(None)

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Node).serve_forever()
