"""What the server says about itself: discovery, documents, versions."""
from bench import case


@case("resources and versions are listed")
def discovery(k):
    k.ok("api-resources").columns("NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND").says(
        "deployments", "deploy", "apps/v1", "configmaps", "cm", "endpointslices", "discovery.k8s.io/v1")
    k.ok("api-resources", "--namespaced=false", "-o", "name").says("nodes", "namespaces").says_not("deployments")
    k.ok("api-resources", "--api-group=apps", "-o", "wide").says("VERBS", "deletecollection")
    k.ok("api-resources", "--verbs=list,watch", "-o", "name").says("pods").says_not("selfsubject")
    k.ok("api-versions").says("apps/v1", "v1", "discovery.k8s.io/v1", "coordination.k8s.io/v1")


@case("explain knows every field")
def explain(k):
    k.ok("explain", "pods").says("KIND:", "Pod", "VERSION:", "v1", "FIELDS:", "spec")
    k.ok("explain", "deploy").says("GROUP:", "apps", "Deployment", "FIELDS:", "metadata")
    k.ok("explain", "deployment.spec.strategy.rollingUpdate").says("FIELD: rollingUpdate", "maxSurge",
                                                                   "maxUnavailable", "IntOrString")
    k.ok("explain", "pod.spec.containers", "--recursive").says("livenessProbe", "httpGet", "readOnlyRootFilesystem")
    k.ok("explain", "svc.spec.ports.port").says("integer")
    k.fails("explain", "pod.spec.nope").says('field "nope" does not exist')
    k.fails("explain", "nopes").says("the server doesn't have a resource type")


@case("versions and addresses are told")
def versions(k):
    got = k.ok("version", "-o", "json").json()
    k.last.expect(got["serverVersion"]["major"] == "1" and got["serverVersion"]["gitVersion"].startswith("v1."),
                  "the server's version")
    k.ok("cluster-info").says("Kubernetes control plane", "is running at", "https://127.0.0.1:")
    k.ok("get", "--raw", "/healthz").prints("ok")
    k.ok("get", "--raw", "/api/v1/namespaces/default").says('"kind":"Namespace"')
    k.fails("get", "--raw", "/nope").says("the server could not find the requested resource")
