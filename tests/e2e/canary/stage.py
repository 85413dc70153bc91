"""A server, a repository and a command line whose every word is kept."""
import base64
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time


class Stage:
    def __init__(self, steer):
        self.program = steer
        self.work = tempfile.mkdtemp(prefix="steer-canary.")
        self.bare, self.repo, self.data = f"{self.work}/repo.git", f"{self.work}/repo", f"{self.work}/data"
        self.outputs, self.failures, self.up = [], [], None
        self.env = {**os.environ, "HOME": self.work, "KUBECONFIG": f"{self.data}/kubeconfig", "STEER_LOG_LEVEL": "debug",
                    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        for who in ("AUTHOR", "COMMITTER"):
            self.env.update({f"GIT_{who}_NAME": "Tester", f"GIT_{who}_EMAIL": "tester@example.org"})
        self.git("init", "-q", "--bare", "-b", "main", self.bare)
        self.git("init", "-q", "-b", "main", self.repo)
        self.git("-C", self.repo, "remote", "add", "origin", self.bare)
        with socket.socket() as closed:  # nobody listens here from now on
            closed.bind(("127.0.0.1", 0))
            self.closed_port = closed.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.up is not None and self.up.poll() is None:
            self.stop()
        if not self.failures:
            shutil.rmtree(self.work, ignore_errors=True)

    def keep(self, name, said):
        self.outputs.append((name, said))

    def git(self, *args):
        return subprocess.run(["git", *args], env=self.env, capture_output=True, check=True).stdout

    def make(self, path, text):
        path = path if os.path.isabs(path) else f"{self.work}/{path}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogatepass") as out:
            out.write(text)

    def write(self, path, text):
        self.make(f"{self.repo}/{path}", text)

    def copy(self, folder, target):
        shutil.copytree(f"{self.repo}/{folder}", target)

    def push(self, message):
        if self.up is not None:  # what a rollback added is gone over
            self.git("-C", self.repo, "fetch", "-q", "origin", "main")
            self.git("-C", self.repo, "reset", "-q", "--soft", "FETCH_HEAD")
        self.git("-C", self.repo, "add", "-A")
        self.git("-C", self.repo, "commit", "-q", "-m", message)
        self.git("-C", self.repo, "push", "-q", "origin", "HEAD:main")

    def start(self):
        self.log = open(f"{self.work}/up.log", "wb")
        self.up = subprocess.Popen([self.program, "up", "--data-dir", self.data, "--nodes", "1", "--runtime", "sim", "--listen",
                                    "127.0.0.1:0", "--repo", self.bare, "--branch", "main", "--interval", "1"],
                                   stdout=self.log, stderr=self.log, env=self.env)
        self.until_true("the server is ready", lambda: b"\nready" in b"\n" + open(f"{self.work}/up.log", "rb").read())
        with open(f"{self.data}/kubeconfig", encoding="utf-8") as config:
            text = config.read()

        def part(name):
            return re.search(rf"{name}: \"?([^\s\"]+)", text).group(1)
        self.address = part("server").removeprefix("https://")
        pem = f"{self.work}/admin.pem"
        self.make(pem, base64.b64decode(part("client-certificate-data")).decode() + "\n" +
                  base64.b64decode(part("client-key-data")).decode())
        ca = base64.b64decode(part("certificate-authority-data")).decode()
        self.admin, self.nobody = ssl.create_default_context(cadata=ca), ssl.create_default_context(cadata=ca)
        self.admin.load_cert_chain(pem)

    def stop(self):
        self.up.send_signal(signal.SIGINT)
        try:
            self.up.wait(60)
        except subprocess.TimeoutExpired:
            self.up.kill()
            self.up.wait()

    def steer(self, name, *args, only_errors=False):
        """only_errors: what it prints on purpose is a manifest."""
        try:
            done = subprocess.run([self.program, *args], env=self.env, capture_output=True, timeout=60, cwd=self.work,
                                  stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            self.failures.append(f"steer {' '.join(args)} did not end")
            return
        self.keep(name, (b"" if only_errors else done.stdout) + done.stderr)

    def ask(self, name, method, path, body=None, kind="application/json", headers=None, stranger=False, refused=False, quiet=False):
        """The answer as a value. quiet: the answer shows the caller's own secret, as it should; so does any success."""
        link = http.client.HTTPSConnection(self.address, context=self.nobody if stranger else self.admin, timeout=30)
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        link.request(method, path, body=data, headers={**({"Content-Type": kind} if body else {}), **(headers or {})})
        answer = link.getresponse()
        text = answer.read()
        warnings = str(answer.getheaders())
        link.close()
        if refused and answer.status < 400:
            self.failures.append(f"{name}: {method} {path} was answered {answer.status}")
        about_secret = answer.status < 300 and "/secrets" in path
        if not quiet:
            self.keep(f"API, {name}", warnings.encode() + (b"" if about_secret else text))
        try:
            return json.loads(text)
        except ValueError:
            return {}

    def until_true(self, what, question, limit=60):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if question():
                return
            time.sleep(0.1)
        self.failures.append(f"{what}: not within {limit} s")

    def status(self, name="root"):
        with_name = [item for item in self.listed("/apis/steersman.dev/v1/applications") if item["metadata"]["name"] == name]
        return with_name[0].get("status", {}) if with_name else {}

    def listed(self, path):
        return self.ask("list", "GET", path, quiet=True).get("items", [])

    def until_seen(self, message):
        head = self.git("-C", self.repo, "rev-parse", "HEAD").decode().strip()

        def seen():
            status = self.status()
            return head in json.dumps(status) and status.get("phase") != "Progressing"
        self.until_true(f"the commit \"{message}\" is worked on", seen)

    def until_told(self, name):
        self.until_true(f"application {name} says what is wrong", lambda: self.status(name).get("message"))

    def resources(self):
        """(path, name) of everything that can be listed, but secrets."""
        groups = ["/api/v1"] + [f"/apis/{version['groupVersion']}" for group in self.ask("groups", "GET", "/apis").get("groups", [])
                                for version in group["versions"]]
        for group in groups:
            for resource in self.ask(f"resources {group}", "GET", group).get("resources", []):
                if "list" in resource.get("verbs", []) and resource["name"] != "secrets":
                    yield f"{group}/{resource['name']}", resource["name"]

    def gather(self):
        """Everything that is left behind: objects, records, logs, files, and what the processes show of themselves."""
        for path, _ in self.resources():
            for accept in ("application/json", "application/json;as=Table;g=meta.k8s.io;v=v1"):
                self.ask(f"list {path}", "GET", path, headers={"Accept": accept})
        for path in ("/metrics", "/openapi/v2", "/openapi/v3", "/version", "/healthz?verbose", "/readyz?verbose", "/debug/pprof/",
                     "/logs/"):
            self.ask(path, "GET", path)
        self.ask("secrets as a table", "GET", "/api/v1/secrets", quiet=True)
        for secret in ("plain", "lines", "fought"):
            self.ask("describe", "GET", f"/api/v1/namespaces/app/events?fieldSelector=involvedObject.name={secret}")
        for process in os.listdir("/proc"):
            if process.isdigit() and self.ours(process):
                self.keep(f"command line of {process}", self.read(f"/proc/{process}/cmdline"))
        self.stop()
        for ref in self.git("-C", self.bare, "for-each-ref", "--format=%(refname)").decode().split():
            if ref != "refs/heads/main":
                self.keep(f"records of {ref}", self.git("-C", self.bare, "log", "-p", "--format=fuller", ref))
        self.keep("the server's log", self.read(f"{self.work}/up.log"))
        for folder, _, files in os.walk(self.data):
            for name in files:
                path = os.path.join(folder, name)
                # The database holds the secrets themselves, and so do credentials; both are its owner's alone.
                if "/state.db" not in path and "/credentials/" not in path:
                    self.keep(f"file {path.removeprefix(self.work)}", self.read(path))
        for name in os.listdir(self.work):
            if name.endswith(".plan"):
                self.keep(f"saved plan {name}", self.read(f"{self.work}/{name}"))

    def ours(self, process):
        try:
            return self.work.encode() in self.read(f"/proc/{process}/environ")
        except OSError:
            return False

    @staticmethod
    def read(path):
        try:
            with open(path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""
