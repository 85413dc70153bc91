"""What bench/plan and bench/apply share: 1,002 objects in files, a server of our own, and timing."""
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
STEER = os.environ.get("STEER", str(ROOT / "build/release/steer"))
NAMESPACES = 20
TRIPLES = 334

TRIPLE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web-{i}, namespace: team-{n}, labels: {{app: web-{i}}}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web-{i}}}}}
  template:
    metadata: {{labels: {{app: web-{i}}}}}
    spec:
      containers:
        - name: web
          image: registry.example/web:1.{i}
          ports: [{{name: http, containerPort: 8080}}]
          env: [{{name: LEVEL, valueFrom: {{configMapKeyRef: {{name: web-{i}, key: level}}}}}}]
          resources: {{requests: {{cpu: 100m, memory: 64Mi}}, limits: {{memory: 128Mi}}}}
          readinessProbe: {{httpGet: {{path: /healthz, port: http}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: web-{i}, namespace: team-{n}}}
spec:
  selector: {{app: web-{i}}}
  ports: [{{name: http, port: 80, targetPort: http}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: web-{i}, namespace: team-{n}}}
data: {{level: info, number: "{i}"}}
"""


def kubectl():
    for candidate in (os.environ.get("KUBECTL"), "/opt/kubectl/kubectl1.33", shutil.which("kubectl")):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    return None


def write_objects(folder):
    """The namespaces apart: kubectl needs them to exist before it looks at what lies in them."""
    spaces, rest = folder / "namespaces", folder / "objects"
    spaces.mkdir(parents=True)
    rest.mkdir()
    text = "".join(f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: team-{n}}}\n---\n" for n in range(NAMESPACES))
    (spaces / "namespaces.yaml").write_text(text)
    for i in range(TRIPLES):
        (rest / f"web-{i}.yaml").write_text(TRIPLE.format(i=i, n=i % NAMESPACES))
    return spaces, rest


class Server:
    """A control plane without nodes, in a folder of its own."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="steer-bench-"))
        self.log = open(self.folder / "log", "w")
        self.child = subprocess.Popen(
            [STEER, "server", "--data-dir", str(self.folder / "data"), "--listen", "127.0.0.1:0"],
            stdout=self.log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 30
        while "ready" not in (self.folder / "log").read_text():
            if time.monotonic() > deadline or self.child.poll() is not None:
                sys.exit("the server did not start: " + (self.folder / "log").read_text())
            time.sleep(0.05)
        self.env = dict(os.environ, KUBECONFIG=str(self.folder / "data/kubeconfig"), HOME=str(self.folder))
        return self

    def __exit__(self, *_):
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *command, good=(0,)):
        """Seconds that the command took."""
        start = time.monotonic()
        done = subprocess.run(command, env=self.env, capture_output=True, text=True)
        took = time.monotonic() - start
        if done.returncode not in good:
            sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return took

    def settle(self):
        """Controllers at rest: no new revision for two seconds."""
        last, since = None, time.monotonic()
        while time.monotonic() - since < 2:
            size = (self.folder / "data").stat().st_mtime_ns, sum(
                f.stat().st_size for f in (self.folder / "data").glob("state.db*"))
            if size != last:
                last, since = size, time.monotonic()
            time.sleep(0.2)


def table(title, rows):
    print(title)
    width = max(len(name) for name, _ in rows)
    base = statistics.median(rows[0][1])
    for name, times in rows:
        middle = statistics.median(times)
        print(f"  {name:<{width}}  median {middle * 1000:9.1f} ms  best {min(times) * 1000:9.1f} ms  "
              f"runs {len(times):2}  {middle / base:8.1f} x")
