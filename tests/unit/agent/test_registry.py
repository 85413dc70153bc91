#!/usr/bin/env python3
"""A private registry for tests: serves one OCI layout under every name and tag to who knows the password.

Usage: test_registry.py LAYOUT USER:PASSWORD REQUEST-LOG. Prints its port on 127.0.0.1. Ends when its input ends.
"""
import base64
import http.server
import json
import pathlib
import sys
import threading

layout, who, log = pathlib.Path(sys.argv[1]), sys.argv[2], open(sys.argv[3], "a", buffering=1)
wanted = "Basic " + base64.b64encode(who.encode()).decode()
index = json.loads((layout / "index.json").read_text())["manifests"][0]


class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, kind="application/json", body=b"", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_GET(self):
        allowed = self.headers.get("Authorization") == wanted
        path = self.path.split("?")[0]
        log.write(f"{self.command} {path} {'yes' if allowed else 'no'}\n")
        if not allowed:
            return self.answer(401, WWW_Authenticate='Basic realm="test"')
        if path == "/v2/":
            return self.answer(200, body=b"{}")
        reference = path.rsplit("/", 1)[1]
        digest = reference if reference.startswith("sha256:") else index["digest"]
        blob = layout / "blobs" / "sha256" / digest.split(":")[1]
        if "/missing/" in path or not blob.exists():
            return self.answer(404)
        kind = index["mediaType"] if "/manifests/" in path else "application/octet-stream"
        self.answer(200, kind, blob.read_bytes(), Docker_Content_Digest=digest)

    do_HEAD = do_GET

    def log_message(self, *unused):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
