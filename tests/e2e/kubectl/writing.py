"""create, apply, diff, replace, delete."""
from bench import WEB, case

MAP = """apiVersion: v1
kind: ConfigMap
metadata: {name: %s, labels: {set: %s}}
data: {%s}
"""


@case("create makes objects of each kind it knows")
def create(k):
    ns = k.fresh("create")
    k.ok("create", "deployment", "d", "--image=registry.example/d:1", "--replicas=1", "--port=80", ns=ns).prints(
        "deployment.apps/d created")
    k.ok("create", "configmap", "c", "--from-literal=a=1", "--from-literal=b=2", ns=ns).prints("configmap/c created")
    k.ok("create", "secret", "generic", "s", "--from-literal=password=hunter2", ns=ns).prints("secret/s created")
    k.ok("get", "secret", "s", "-o", "jsonpath={.data.password}", ns=ns).prints("aHVudGVyMg==")
    k.ok("get", "secret", "s", ns=ns).columns("NAME", "TYPE", "DATA", "AGE").says("Opaque", "1")
    k.ok("create", "secret", "docker-registry", "r", "--docker-username=u", "--docker-password=p", ns=ns).says("created")
    k.ok("get", "secret", "r", "--no-headers", ns=ns).says("kubernetes.io/dockerconfigjson")
    k.ok("create", "service", "clusterip", "v", "--tcp=80:8080", ns=ns).prints("service/v created")
    k.ok("create", "service", "nodeport", "n", "--tcp=80:8080", ns=ns).says("created")
    k.ok("get", "svc", "n", "--no-headers", ns=ns).says("NodePort", "80:3")
    k.ok("create", "service", "externalname", "e", "--external-name=example.org", ns=ns).says("created")
    k.ok("create", "serviceaccount", "a", ns=ns).prints("serviceaccount/a created")
    k.ok("create", "job", "j", "--image=registry.example/j:1", ns=ns).prints("job.batch/j created")
    k.fails("create", "configmap", "c", ns=ns).says('error: failed to create configmap: configmaps "c" already exists')
    k.fails("create", "configmap", "Bad_Name", ns=ns).says("is invalid", "metadata.name", "RFC 1123")
    k.fails("create", "configmap", "c", ns="nope").says('namespaces "nope" not found')
    k.ok("create", "configmap", "dry", "--from-literal=a=1", "--dry-run=server", ns=ns).prints(
        "configmap/dry created (server dry run)")
    k.fails("get", "configmap", "dry", ns=ns).says("NotFound")
    k.ok("create", "deployment", "x", "--image=i", "--dry-run=client", "-o", "yaml", ns=ns).says("kind: Deployment")
    k.ok("delete", "namespace", ns, ns=None).prints(f'namespace "{ns}" deleted')
    k.fails("get", "namespace", ns, ns=None).says("NotFound")


@case("apply creates, configures and leaves alone")
def apply(k):
    k.ok("apply", "-f", "-", stdin=MAP % ("ap", "a", "x: '1', w: '2'")).prints("configmap/ap created")
    k.ok("apply", "-f", "-", stdin=MAP % ("ap", "a", "x: '1', w: '2'")).prints("configmap/ap unchanged")
    k.ok("apply", "-f", "-", stdin=MAP % ("ap", "a", "x: '3'")).prints("configmap/ap configured")
    k.ok("get", "cm", "ap", "-o", "jsonpath={.data}").prints('{"x":"3"}')
    k.ok("apply", "view-last-applied", "cm/ap").says('x: "3"')
    k.ok("apply", "-f", "-", "--dry-run=server", stdin=MAP % ("ap", "a", "x: '4'")).prints(
        "configmap/ap configured (server dry run)")
    k.ok("apply", "-f", "-", stdin=WEB).prints("deployment.apps/web unchanged")
    k.fails("apply", "-f", "-", stdin=WEB.replace("replicas:", "replicsa:")).says(
        "is invalid: patch: Invalid value", 'strict decoding error: unknown field "spec.replicsa"')
    k.ok("apply", "-f", "-", "--validate=warn", "--dry-run=server", stdin=WEB.replace("replicas:", "replicsa:")).says(
        'Warning: unknown field "spec.replicsa"')
    k.fails("apply", "-f", "-", stdin=WEB.replace("app: web}", "app: other}", 3)).says("Invalid", "spec.selector",
                                                                                      "field is immutable")
    k.fails("apply", "-f", "-", stdin="kind: Nope\napiVersion: nope/v1\nmetadata: {name: a}\n").says(
        'no matches for kind "Nope" in version "nope/v1"')
    k.fails("apply", "-f", "-", stdin=WEB.replace("image:", "imag:")).says("unknown field", "imag")
    k.ok("delete", "cm", "ap")


@case("apply prunes what left the set")
def prune(k):
    two = MAP % ("p1", "pruned", "a: b") + "---\n" + MAP % ("p2", "pruned", "a: b")
    k.ok("apply", "-f", "-", "--prune", "-l", "set=pruned", "--prune-allowlist=core/v1/ConfigMap", stdin=two)
    k.ok("apply", "-f", "-", "--prune", "-l", "set=pruned", "--prune-allowlist=core/v1/ConfigMap",
         stdin=MAP % ("p1", "pruned", "a: b")).says("configmap/p1 unchanged", "configmap/p2 pruned")
    k.ok("delete", "cm", "-l", "set=pruned").prints('configmap "p1" deleted')


@case("server-side apply owns fields, conflicts, and forces")
def server_side(k):
    one, two = MAP % ("ss", "a", "x: '1'"), MAP % ("ss", "a", "x: '2'")
    k.ok("apply", "--server-side", "-f", "-", stdin=one).prints("configmap/ss serverside-applied")
    k.fails("apply", "--server-side", "--field-manager=other", "-f", "-", stdin=two).says(
        'Apply failed with 1 conflict: conflict with "kubectl": .data.x', "--force-conflicts")
    k.ok("apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-", stdin=two).says("applied")
    k.ok("get", "cm", "ss", "-o", "jsonpath={.data.x}").prints("2")
    k.ok("get", "cm", "ss", "--show-managed-fields", "-o", "yaml").says("manager: other", "operation: Apply", "f:x")
    k.ok("get", "cm", "ss", "-o", "yaml").says_not("managedFields")
    k.ok("apply", "--server-side", "--field-manager=other", "-f", "-", stdin=MAP % ("ss", "a", "")).says("applied")
    k.ok("get", "cm", "ss", "-o", "jsonpath={.data}").says_not("x")
    k.ok("delete", "cm", "ss")


@case("diff shows what apply would change")
def diff(k):
    k.ok("diff", "-f", "-", stdin=WEB).prints("")
    k.fails("diff", "-f", "-", stdin=WEB.replace("web:v1", "web:v2")).says(
        "-      - image: registry.example/web:v1", "+      - image: registry.example/web:v2")
    k.fails("diff", "--server-side", "--force-conflicts", "-f", "-", stdin=WEB.replace("replicas: 2", "replicas: 3")).says(
        "-  replicas: 2", "+  replicas: 3")
    k.ok("diff", "-f", "-", stdin=WEB.replace("  replicas: 2", "  paused: false\n  replicas: 2", 1)).prints("")
    k.fails("diff", "-f", "-", stdin=MAP % ("new", "a", "a: b")).says("+  name: new")
    k.ok("create", "-f", "-", stdin=MAP % ("never-applied", "a", "a: b"))
    k.ok("diff", "-f", "-", stdin=MAP % ("never-applied", "a", "a: b")).prints("")
    k.ok("delete", "cm", "never-applied")
    k.ok("get", "cm", "new", "--ignore-not-found").prints("")


@case("replace replaces the whole, by force by deleting first")
def replace(k):
    k.ok("create", "-f", "-", stdin=MAP % ("rp", "a", "x: '1'")).prints("configmap/rp created")
    k.ok("replace", "-f", "-", stdin=MAP % ("rp", "a", "w: '1'")).prints("configmap/rp replaced")
    k.ok("get", "cm", "rp", "-o", "jsonpath={.data}").prints('{"w":"1"}')
    old = k.value("cm rp", "{.metadata.uid}")
    k.ok("replace", "--force", "-f", "-", stdin=MAP % ("rp", "a", "z: '1'")).says('configmap "rp" deleted',
                                                                                 "configmap/rp replaced")
    k.last.expect(k.value("cm rp", "{.metadata.uid}") != old, "a new uid")
    stale = MAP % ("rp", "a", "z: '2'") + ""
    k.fails("replace", "-f", "-", stdin=stale.replace("{name:", "{resourceVersion: '1', name:")).says(
        "Conflict", "the object has been modified; please apply your changes to the latest version and try again")
    k.fails("replace", "-f", "-", stdin=MAP % ("nope", "a", "a: b")).says('configmaps "nope" not found')
    k.ok("delete", "cm/rp", "cm/nope", "--ignore-not-found").prints('configmap "rp" deleted')


@case("duplicate keys are a mistake that is named")
def duplicates(k):
    twice = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"twice"},"data":{"a":"1"},"data":{"a":"2"}}'
    strict = k.run("create", "--raw", f"/api/v1/namespaces/{k.ns}/configmaps?fieldValidation=Strict", "-f",
                   k.file("twice.json", twice))
    strict.expect(strict.code == 1, "exit code 1").says('strict decoding error: duplicate field "data"')
    k.ok("create", "--raw", f"/api/v1/namespaces/{k.ns}/configmaps?fieldValidation=Warn", "-f", f"{k.home}/twice.json").says(
        'duplicate field "data"')
    k.ok("delete", "cm", "twice")


@case("delete cascades as it is told")
def cascade(k):
    ns = k.fresh("cascade")
    for policy in ("background", "foreground", "orphan"):
        k.ok("apply", "-f", "-", stdin=WEB, ns=ns)
        k.ok("rollout", "status", "deploy/web", "--timeout=60s", ns=ns)
        k.ok("delete", "deploy", "web", f"--cascade={policy}", ns=ns, timeout=90).prints(
            'deployment.apps "web" deleted')
        if policy == "foreground":
            k.ok("get", "rs,pods", "-o", "name", ns=ns).prints("")
        elif policy == "background":
            k.eventually("get", "rs,pods", "-o", "name", ns=ns, until=lambda d: not d.out.strip(),
                         what="replica sets and pods follow")
        else:
            k.ok("get", "rs", "-o", "name", ns=ns).says("replicaset.apps/web-")
            k.eventually("get", "rs", "-o", "jsonpath={.items[*].metadata.ownerReferences}", ns=ns,
                         until=lambda d: not d.out.strip(), what="the replica set has no owner any more")
            k.ok("get", "pods", "--no-headers", ns=ns).says("Running")
    k.ok("delete", "namespace", ns, "--wait=false", ns=None)


@case("delete waits for graceful ends, or does not")
def grace(k):
    pod = """apiVersion: v1
kind: Pod
metadata: {name: %s}
spec: {terminationGracePeriodSeconds: 30, containers: [{name: c, image: "registry.example/c:1"}]}
"""
    k.ok("create", "-f", "-", stdin=pod % "g1")
    k.ok("wait", "--for=condition=Ready", "pod/g1", "--timeout=30s").prints("pod/g1 condition met")
    k.ok("delete", "pod", "g1", "--grace-period=1").prints('pod "g1" deleted')
    k.fails("get", "pod", "g1").says("NotFound")
    k.ok("create", "-f", "-", stdin=pod % "g2")
    k.ok("delete", "pod", "g2", "--force").says("Immediate deletion does not wait", 'pod "g2" force deleted')
    k.eventually("get", "pod", "g2", "--ignore-not-found", until=lambda d: not d.out, what="the pod is gone")
    k.ok("create", "-f", "-", stdin=MAP.replace("{name:", "{finalizers: [example.org/hold], name:") % ("f", "f", "a: b"))
    k.ok("delete", "cm", "f", "--wait=false").prints('configmap "f" deleted')
    k.last.expect(k.value("cm f", "{.metadata.deletionTimestamp}") != "", "a finalizer holds the object")
    k.ok("patch", "cm", "f", "--type=merge", "-p", '{"metadata":{"finalizers":null}}').prints("configmap/f patched")
    k.fails("get", "cm", "f").says("NotFound")
    k.fails("delete", "cm", "f").says('Error from server (NotFound): configmaps "f" not found')
    k.ok("delete", "cm", "-l", "set=nope").says("No resources found")


@case("delete of many names each")
def delete_many(k):
    for name in ("m1", "m2"):
        k.ok("create", "-f", "-", stdin=MAP % (name, "many", "a: b"))
    k.ok("delete", "cm", "-l", "set=many", "--dry-run=server").says('configmap "m1" deleted (server dry run)')
    k.ok("delete", "cm", "-l", "set=many").says('configmap "m1" deleted', 'configmap "m2" deleted')
