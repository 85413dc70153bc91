"""The bench on which the cases stand: a cluster, a kubectl, and assertions that show the command and its output."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

CASES = []

WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: web, image: "registry.example/web:v1", ports: [{containerPort: 8080, name: http}]}
"""


def case(name, alone=False):
    """alone: not while the other version's alone-cases run (what the whole cluster shares)."""
    def keep(body):
        CASES.append((name, body, alone))
        return body
    return keep


class Mismatch(Exception):
    pass


class Done:
    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err

    def __str__(self):
        return f"  $ {self.command}\n  exit code {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}"

    def expect(self, condition, what):
        if not condition:
            raise Mismatch(f"  expected: {what}\n{self}")
        return self

    def says(self, *texts):
        for text in texts:
            self.expect(text in self.out + self.err, f"the output contains {text!r}")
        return self

    def says_not(self, *texts):
        for text in texts:
            self.expect(text not in self.out + self.err, f"the output does not contain {text!r}")
        return self

    def prints(self, text):
        return self.expect(self.out.strip() == text.strip(), f"exactly {text!r}")

    def columns(self, *names):
        head = self.out.splitlines()[0] if self.out else ""
        want = "   ".join(names)
        return self.expect("   ".join(part.strip() for part in head.split("  ") if part.strip()) == want,
                           f"the columns {want}")

    def json(self):
        try:
            return json.loads(self.out)
        except ValueError:
            raise Mismatch(f"  expected: JSON\n{self}") from None


class Cluster:
    def __init__(self, steer, folder):
        self.folder = folder
        self.work = tempfile.mkdtemp(prefix="steer-kubectl.")
        self.log = open(f"{self.work}/up.log", "w", encoding="utf-8")
        self.up = subprocess.Popen([steer, "up", "--data-dir", f"{self.work}/data", "--nodes", "2", "--runtime", "sim",
                                    "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.kubeconfig = f"{self.work}/data/kubeconfig"

    def __enter__(self):
        for line in self.up.stdout:
            if line.startswith("ready"):
                return self
        self.__exit__()
        raise SystemExit("steer up did not become ready: " + open(f"{self.work}/up.log", encoding="utf-8").read())

    def __exit__(self, *_):
        self.up.send_signal(signal.SIGINT)
        try:
            self.up.wait(30)
        except subprocess.TimeoutExpired:
            self.up.kill()
            self.up.wait()
        self.log.close()
        shutil.rmtree(self.work, ignore_errors=True)


class Kubectl:
    def __init__(self, cluster, version):
        self.cluster, self.version = cluster, version
        self.tag = "k" + version.replace(".", "")
        self.ns = self.tag
        self.home = f"{cluster.work}/{self.tag}"
        os.makedirs(self.home)
        self.last = ""
        self.env = {"HOME": self.home, "PATH": os.environ["PATH"], "KUBECONFIG": cluster.kubeconfig}

    def prepare(self):
        """The namespace, and a deployment that most cases look at."""
        self.ok("create", "namespace", self.ns, ns=None)
        self.ok("apply", "-f", "-", stdin=WEB)
        self.ok("rollout", "status", "deployment/web", "--timeout=60s")

    def file(self, name, text):
        path = f"{self.home}/{name}"
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def argv(self, args, ns):
        return [f"{self.cluster.folder}/kubectl{self.version}"] + ([] if ns is None else ["-n", ns]) + list(args)

    def run(self, *args, stdin=None, ns="", env=None, timeout=60):
        argv = self.argv(args, self.ns if ns == "" else ns)
        try:
            done = subprocess.run(argv, input=stdin or "", env={**self.env, **(env or {})}, capture_output=True,
                                  text=True, timeout=timeout, cwd=self.home)
            out = Done(" ".join(argv[1:]), done.returncode, done.stdout, done.stderr)
        except subprocess.TimeoutExpired as late:
            out = Done(" ".join(argv[1:]), -1, str(late.stdout or ""), f"{late.stderr or ''} still runs after {timeout}s\n")
        self.last = out
        return out

    def ok(self, *args, **how):
        done = self.run(*args, **how)
        return done.expect(done.code == 0, "exit code 0")

    def fails(self, *args, code=1, **how):
        done = self.run(*args, **how)
        return done.expect(done.code == code, f"exit code {code}")

    def start(self, *args):
        """In the background; its output grows in the file that `Running.text()` reads."""
        return Running(self, args)

    def eventually(self, *args, until, what, seconds=30, **how):
        end = time.monotonic() + seconds
        while True:
            done = self.run(*args, **how)
            if until(done) or time.monotonic() > end:
                return done.expect(until(done), f"{what} (within {seconds}s)")
            time.sleep(0.2)

    def value(self, target, path):
        return self.ok("get", *target.split(), "-o", f"jsonpath={path}").out

    def fresh(self, name):
        """A namespace for one case."""
        ns = f"{self.tag}-{name}"
        self.ok("create", "namespace", ns, ns=None)
        return ns


class Running:
    def __init__(self, k, args):
        argv = k.argv(args, k.ns)
        self.command = " ".join(argv[1:])
        self.path = tempfile.mktemp(dir=k.home)
        self.sink = open(self.path, "w", encoding="utf-8")
        self.process = subprocess.Popen(argv, stdout=self.sink, stderr=subprocess.STDOUT, env=k.env, cwd=k.home)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.sink.close()

    def text(self):
        with open(self.path, encoding="utf-8") as source:
            return source.read()

    def shows(self, text, seconds=20):
        end = time.monotonic() + seconds
        while text not in self.text() and time.monotonic() < end:
            time.sleep(0.05)
        if text not in self.text():
            raise Mismatch(f"  expected: {text!r} within {seconds}s\n  $ {self.command}\n{self.text()}")
        return self

    def ends(self, code=0, seconds=30):
        try:
            got = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Mismatch(f"  expected: an end within {seconds}s\n  $ {self.command}\n{self.text()}") from None
        if got != code:
            raise Mismatch(f"  expected: exit code {code}, got {got}\n  $ {self.command}\n{self.text()}")
        return self
