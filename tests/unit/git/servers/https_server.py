#!/usr/bin/env python3
"""A Git server over TLS for tests: git http-backend behind Python's own HTTP server.

https_server.py ROOT CERT KEY LOG PORT-FILE
The first part of the path says how it behaves:
  /open/REPO      anyone may read
  /auth/REPO      ada:secret may read and write
  /readonly/REPO  like auth, but writing is refused until ROOT/writable exists
  /away/REPO      redirects to the same path under /auth at 127.0.0.1, another host name
  /moved-CODE/REPO  redirects by CODE to what stands in ROOT/target;  /later-CODE/REPO  so, once the refs are listed
  /limited/REPO   429 with Retry-After: 120;  /busy/REPO  503 with Retry-After: 7
  /hang/REPO      lists refs, then stops in the middle of the pack
  /endless/REPO   lists refs, then sends messages without end
  /garbage/REPO   lists refs, then sends a pack of nonsense
Each request is a line of LOG: METHOD HOST PATH AUTHORIZED.
"""
import base64
import gzip
import os
import ssl
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

ROOT, CERT, KEY, LOG, PORT_FILE = sys.argv[1:6]
RIGHT = "Basic " + base64.b64encode(b"ada:secret").decode()


def packet(data):
    return b"%04x" % (len(data) + 4) + data


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, code, headers=(), body=b""):
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            out = b""
            while True:
                size = int(self.rfile.readline().strip() or b"0", 16)
                out += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    break
        else:
            out = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return gzip.decompress(out) if self.headers.get("Content-Encoding") == "gzip" else out

    def serve(self):
        parts = urlsplit(self.path)
        mode, _, rest = parts.path.lstrip("/").partition("/")
        given = self.headers.get("Authorization", "")
        with open(LOG, "a") as log:
            log.write(f"{self.command} {self.headers.get('Host')} {self.path} {'yes' if given else 'no'}\n")
        data = self.body()
        if mode == "away":
            port = self.server.server_address[1]
            return self.answer(302, [("Location", f"https://127.0.0.1:{port}/auth/{rest}?{parts.query}")])
        moved, _, code = mode.partition("-")
        if moved == "moved" or moved == "later" and self.command == "POST":
            with open(ROOT + "/target") as target:
                return self.answer(int(code), [("Location", target.read())])
        if mode == "limited":
            return self.answer(429, [("Retry-After", "120")])
        if mode == "busy":
            return self.answer(503, [("Retry-After", "7")])
        if mode in ("auth", "readonly") and given != RIGHT:
            return self.answer(401, [("WWW-Authenticate", 'Basic realm="git"')])
        writing = "git-receive-pack" in self.path
        if mode == "open" and writing or mode == "readonly" and writing and not os.path.exists(ROOT + "/writable"):
            return self.answer(403)
        if mode in ("hang", "endless", "garbage") and self.command == "POST":
            return self.misbehave(mode)
        self.backend(rest, parts.query, data, "ada" if given == RIGHT else "")

    def misbehave(self, mode):
        self.send_response(200)
        self.send_header("Content-Type", "application/x-git-upload-pack-result")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(packet(b"NAK\n") + packet(b"\x01PACK\x00\x00\x00\x02\x00\x00\x00\x05"))
        self.wfile.flush()
        try:
            if mode == "hang":
                time.sleep(600)
            elif mode == "endless":
                while True:
                    self.wfile.write(packet(b"\x02still working\n"))
                    time.sleep(0.05)
            else:
                self.wfile.write(packet(b"\x01" + os.urandom(3000)) + b"0000")
        except OSError:
            pass

    def backend(self, path, query, data, user):
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": ROOT,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": "/" + path,
            "REQUEST_METHOD": self.command,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(data)),
            "REMOTE_ADDR": "127.0.0.1",
        }
        if user:
            env["REMOTE_USER"] = user
        done = subprocess.run(["git", "http-backend"], input=data, stdout=subprocess.PIPE, env=env, check=False)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        code, headers = 200, []
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            if name == "Status":
                code = int(value.split()[0])
            elif name:
                headers.append((name, value))
        self.answer(code, headers, body)

    do_GET = serve
    do_POST = serve


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERT, KEY)
server.socket = context.wrap_socket(server.socket, server_side=True)
with open(PORT_FILE + ".new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(PORT_FILE + ".new", PORT_FILE)
server.serve_forever()
