"""Rollouts, logs, run, wait, and the care of nodes."""
from bench import WEB, case


@case("a rollout is watched, undone, paused, resumed and restarted")
def rollout(k):
    ns = k.fresh("rollout")
    k.ok("apply", "-f", "-", stdin=WEB, ns=ns)
    k.ok("rollout", "status", "deploy/web", "--timeout=60s", ns=ns).says('deployment "web" successfully rolled out')
    k.ok("annotate", "deploy", "web", "kubernetes.io/change-cause=first", ns=ns)
    k.ok("set", "image", "deploy/web", "web=registry.example/web:v2", ns=ns)
    k.ok("rollout", "status", "deploy/web", "--timeout=60s", ns=ns).says("successfully rolled out")
    k.ok("annotate", "deploy", "web", "kubernetes.io/change-cause=second", "--overwrite", ns=ns)
    k.eventually("rollout", "history", "deploy/web", ns=ns, until=lambda d: "second" in d.out, what="both causes")
    k.last.says("deployment.apps/web", "REVISION  CHANGE-CAUSE", "1         first", "2         second")
    k.ok("rollout", "history", "deploy/web", "--revision=2", ns=ns).says("revision #2", "registry.example/web:v2")
    k.ok("rollout", "undo", "deploy/web", ns=ns).prints("deployment.apps/web rolled back")
    k.ok("rollout", "status", "deploy/web", "--timeout=60s", ns=ns)
    k.ok("get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}", ns=ns).prints(
        "registry.example/web:v1")
    k.fails("rollout", "undo", "deploy/web", "--to-revision=99", ns=ns).says("unable to find specified revision 99")
    k.ok("rollout", "pause", "deploy/web", ns=ns).prints("deployment.apps/web paused")
    k.fails("rollout", "pause", "deploy/web", ns=ns).says("is already paused")
    k.fails("rollout", "restart", "deploy/web", ns=ns).says("can't restart paused deployment")
    k.ok("rollout", "resume", "deploy/web", ns=ns).prints("deployment.apps/web resumed")
    k.ok("rollout", "restart", "deploy/web", ns=ns).prints("deployment.apps/web restarted")
    k.ok("rollout", "status", "deploy/web", "--timeout=60s", ns=ns).says("successfully rolled out")
    k.ok("get", "deploy", "web", "-o", "yaml", ns=ns).says("kubectl.kubernetes.io/restartedAt")
    k.ok("delete", "namespace", ns, "--wait=false", ns=None)


@case("wait waits for conditions, values and ends")
def wait(k):
    k.ok("wait", "--for=condition=Available", "deploy/web", "--timeout=30s").prints(
        "deployment.apps/web condition met")
    k.ok("wait", "--for=jsonpath={.status.readyReplicas}=2", "deploy/web", "--timeout=30s").says("condition met")
    k.fails("wait", "--for=condition=Nope", "deploy/web", "--timeout=1s").says(
        "error: timed out waiting for the condition on deployments/web")
    k.ok("create", "configmap", "w")
    with k.start("wait", "--for=delete", "cm/w", "--timeout=30s") as waiting:
        k.ok("delete", "cm", "w")
        waiting.ends(0)
    k.fails("wait", "--for=condition=Ready", "pod/nope", "--timeout=1s").says('pods "nope" not found')


@case("run starts a pod, and logs say plainly that a simulated one has none")
def run(k):
    k.ok("run", "solo", "--image=registry.example/solo:1", "--labels=role=solo", "--env=A=1", "--port=80").prints(
        "pod/solo created")
    k.ok("wait", "--for=condition=Ready", "pod/solo", "--timeout=30s")
    k.ok("get", "pod", "solo", "-o", "jsonpath={.spec.containers[0].env[0].name}").prints("A")
    k.fails("logs", "solo", "-c", "nope").says("container nope is not valid for pod solo")
    k.fails("logs", "nope").says('pods "nope" not found')
    # Simulated containers say nothing; what real ones say is for the tests with containers.
    k.fails("logs", "solo", "-f", "--tail=1").says("does not offer logs")
    k.ok("delete", "pod", "solo", "--now").prints('pod "solo" deleted')
    k.fails("run", "solo", "--image=").says("--image is required")


@case("nodes are cordoned, drained, tainted and taken back", alone=True)
def nodes(k):
    ns = k.fresh("drain")
    k.ok("apply", "-f", "-", stdin=WEB, ns=ns)
    k.ok("rollout", "status", "deploy/web", "--timeout=60s", ns=ns)
    name = k.value("nodes", "{.items[%d].metadata.name}" % (0 if k.version == "1.27" else 1))
    k.ok("cordon", name).prints(f"node/{name} cordoned")
    k.ok("cordon", name).prints(f"node/{name} already cordoned")
    k.ok("get", "node", name, "--no-headers").says("Ready,SchedulingDisabled")
    k.ok("drain", name, "--ignore-daemonsets", "--pod-selector=app=web", "--timeout=60s", "--force", timeout=90).says(
        f"node/{name} already cordoned", f"node/{name} drained")
    k.ok("get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}", ns=ns).says_not(name)
    k.ok("uncordon", name).prints(f"node/{name} uncordoned")
    k.ok("taint", "node", name, "care=needed:NoSchedule").prints(f"node/{name} tainted")
    k.fails("taint", "node", name, "care=more:NoSchedule").says("already has care taint(s) with same effect(s)")
    k.ok("describe", "node", name).says("care=needed:NoSchedule")
    k.ok("taint", "node", name, "care-").prints(f"node/{name} untainted")
    k.ok("delete", "namespace", ns, "--wait=false", ns=None)


@case("top says plainly that there are no metrics")
def top(k):
    k.fails("top", "nodes").says("Metrics API not available")
    k.fails("top", "pods").says("Metrics API not available")
