"""get in all its forms, and describe."""
import re

from bench import case


@case("tables have the columns of their kinds")
def tables(k):
    k.ok("get", "nodes").columns("NAME", "STATUS", "ROLES", "AGE", "VERSION")
    k.ok("get", "nodes", "-o", "wide").columns("NAME", "STATUS", "ROLES", "AGE", "VERSION", "INTERNAL-IP",
                                               "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION", "CONTAINER-RUNTIME")
    k.ok("get", "pods").columns("NAME", "READY", "STATUS", "RESTARTS", "AGE")
    k.ok("get", "pods", "-o", "wide").columns("NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE",
                                              "NOMINATED NODE", "READINESS GATES")
    k.ok("get", "deploy").columns("NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE")
    k.ok("get", "deploy", "-o", "wide").columns("NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS",
                                                "IMAGES", "SELECTOR").says("registry.example/web:v1", "app=web")
    k.ok("get", "rs").columns("NAME", "DESIRED", "CURRENT", "READY", "AGE")
    k.ok("get", "svc", ns="default").columns("NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE")
    k.ok("get", "svc", "-o", "wide", ns="default").says("SELECTOR", "kubernetes", "ClusterIP", "443/TCP")
    k.ok("get", "cm", ns="kube-system").columns("NAME", "DATA", "AGE")
    k.ok("get", "ns").columns("NAME", "STATUS", "AGE").says(k.ns, "Active")
    k.ok("get", "events").columns("LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE").says("ScalingReplicaSet")
    k.ok("get", "leases", ns="kube-node-lease").columns("NAME", "HOLDER", "AGE")


@case("a row says what the object is doing")
def rows(k):
    k.ok("get", "deploy", "web").expect(True, "").says("2/2")
    for line in k.ok("get", "pods", "-l", "app=web", "--no-headers").out.splitlines():
        k.last.expect(re.fullmatch(r"web-[a-z0-9]+-[a-z0-9]{5}\s+1/1\s+Running\s+0\s+\d+[smh]\S*\s*", line),
                      "a running pod in each row")
    k.ok("get", "nodes", "--no-headers").expect(k.last.out.count(" Ready ") == 2, "two nodes Ready")


@case("objects come as YAML, JSON, names, paths and templates")
def forms(k):
    k.ok("get", "deploy", "web", "-o", "yaml").says("apiVersion: apps/v1", "kind: Deployment", "  replicas: 2")
    got = k.ok("get", "deploy", "web", "-o", "json").json()
    k.last.expect(got["spec"]["replicas"] == 2 and got["metadata"]["uid"], "the deployment as JSON")
    items = k.ok("get", "pods", "-l", "app=web", "-o", "json").json()
    k.last.expect(items["kind"] == "List" and len(items["items"]) == 2, "a list of two pods")
    k.ok("get", "deploy", "web", "-o", "name").prints("deployment.apps/web")
    k.ok("get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}").prints(
        "registry.example/web:v1")
    k.ok("get", "deploy", "web", "-o", "go-template={{.metadata.name}}").prints("web")
    k.ok("get", "deploy", "-o", "custom-columns=N:.metadata.name,R:.spec.replicas").columns("N", "R")
    k.ok("get", "deploy,rs", "-o", "name").says("deployment.apps/web", "replicaset.apps/web-")
    k.ok("get", "all").says("pod/web-", "deployment.apps/web", "replicaset.apps/web-")
    k.ok("get", "deploy", "--show-labels").columns("NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "LABELS")
    k.ok("get", "deploy", "-L", "app").columns("NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "APP")
    k.ok("get", "--raw", "/readyz").prints("ok")


@case("labels and fields select")
def selectors(k):
    for selector, count in (("app=web", 2), ("app!=web,app=web", 0), ("app in (web,x)", 2), ("app notin (web),app=web", 0), ("!app,app", 0),
                            ("app==web,pod-template-hash", 2)):
        names = k.ok("get", "pods", "-l", selector, "-o", "name").out.split()
        k.last.expect(len(names) == count, f"{count} pods for {selector}")
    pod = k.ok("get", "pods", "-l", "app=web", "-o", "name").out.split()[0].split("/")[1]
    node = k.value(f"pod {pod}", "{.spec.nodeName}")
    k.ok("get", "pods", "--field-selector", f"metadata.name={pod}", "-o", "name").prints(f"pod/{pod}")
    k.ok("get", "pods", "--field-selector", f"spec.nodeName={node},status.phase=Running", "-o", "name").says(pod)
    k.ok("get", "pods", "--field-selector", "status.phase!=Running", "-o", "name").prints("")
    k.ok("get", "events", "--field-selector", f"involvedObject.name={pod},involvedObject.kind=Pod").says("Scheduled")
    k.fails("get", "pods", "--field-selector", "spec.nope=1").says("field label not supported: spec.nope")
    k.fails("get", "pods", "-l", "a=b=c").says("unable to parse requirement")


@case("all namespaces, in pages of one")
def pages(k):
    k.ok("get", "pods", "-A").columns("NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE").says(k.ns)
    whole = k.ok("get", "pods", "-o", "name").out
    k.ok("get", "pods", "-o", "name", "--chunk-size=1").prints(whole)
    k.ok("get", "pods", "--sort-by=.metadata.name", "-o", "name").prints("\n".join(sorted(whole.split())))


@case("what is not there is said as Kubernetes says it")
def absent(k):
    k.fails("get", "deploy", "nope").says('Error from server (NotFound): deployments.apps "nope" not found')
    k.ok("get", "deploy", "nope", "--ignore-not-found").prints("")
    k.fails("get", "nopes").says('error: the server doesn\'t have a resource type "nopes"')
    k.ok("get", "pods", "-l", "app=nope").says(f"No resources found in {k.ns} namespace.")
    k.fails("get", "deploy", "web", "-o", "nope").says("unable to match a printer")


@case("a watch shows changes as they come")
def watching(k):
    with k.start("get", "cm", "-w", "-o", "name") as watch, k.start("get", "cm", "-w", "--output-watch-events") as events:
        k.ok("create", "configmap", "watched", "--from-literal=a=1")
        watch.shows("configmap/watched")
        events.shows("ADDED")
        k.ok("label", "configmap", "watched", "x=y")
        events.shows("MODIFIED")
        k.ok("delete", "configmap", "watched")
        events.shows("DELETED")
    with k.start("get", "pods", "-l", "app=absent", "-w") as watch:
        k.ok("run", "watched", "--image=registry.example/w:1", "--labels=app=absent", "--restart=Never")
        watch.shows("1/1")
        k.ok("delete", "pod", "watched", "--now")


@case("describe tells the whole story")
def describe(k):
    pod = k.ok("get", "pods", "-l", "app=web", "-o", "name").out.split()[0]
    k.ok("describe", pod).says("Name:  ", f"Namespace:        {k.ns}", "Status:           Running",
                               "Controlled By:  ReplicaSet/web-", "Image:          registry.example/web:v1",
                               "Ready:          True", "QoS Class:", "BestEffort", "Tolerations:", "Events:", "Scheduled")
    k.ok("describe", "deploy", "web").says("Replicas:", "2 desired | 2 updated | 2 total | 2 available | 0 unavailable",
                                           "StrategyType:", "RollingUpdate", "25% max unavailable, 25% max surge",
                                           "NewReplicaSet:", "ScalingReplicaSet")
    node = k.ok("get", "nodes", "-o", "name").out.split()[0]
    k.ok("describe", node).says("Roles:", "Capacity:", "Allocatable:", "Non-terminated Pods:", "Allocated resources:",
                                "Conditions:", "Ready", "Lease:", "HolderIdentity:")
    k.ok("describe", "svc", "kubernetes", ns="default").says("Type:", "ClusterIP", "Endpoints:", "Session Affinity:")
    k.ok("describe", "namespace", k.ns).says("Status:", "Active", "No resource quota.", "No LimitRange resource.")
    k.ok("describe", "rs", "-l", "app=web").says("Controlled By:  Deployment/web", "2 current / 2 desired")
    k.fails("describe", "pod", "nope").says('Error from server (NotFound): pods "nope" not found')
