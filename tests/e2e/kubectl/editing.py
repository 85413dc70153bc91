"""label, annotate, patch, edit, set, scale, expose, autoscale's absence."""
import os

from bench import case


@case("labels and annotations are set, kept and taken away")
def label(k):
    k.ok("create", "configmap", "lab")
    k.ok("label", "cm", "lab", "a=1").prints("configmap/lab labeled")
    k.fails("label", "cm", "lab", "a=2").says("'a' already has a value (1), and --overwrite is false")
    k.ok("label", "cm", "lab", "a=2", "--overwrite").prints("configmap/lab labeled")
    k.ok("label", "cm", "lab", "a=2").prints("configmap/lab not labeled")
    k.ok("label", "cm", "lab", "a-").prints("configmap/lab unlabeled")
    k.ok("label", "cm", "lab", "--list").prints("")
    k.ok("annotate", "cm", "lab", "note=hello").says("configmap/lab annotate")
    k.ok("get", "cm", "lab", "-o", "jsonpath={.metadata.annotations.note}").prints("hello")
    k.ok("annotate", "cm", "lab", "note-").says("configmap/lab annotate")
    k.fails("label", "cm", "lab", "bad key=1").says("invalid")
    k.ok("delete", "cm", "lab")


@case("all patch types change what they say")
def patch(k):
    k.ok("create", "deployment", "pt", "--image=registry.example/p:1", "--replicas=0")
    k.ok("patch", "deploy", "pt", "-p", '{"spec":{"template":{"spec":{"containers":[{"name":"p","env":[{"name":"A",'
         '"value":"1"}]}]}}}}').prints("deployment.apps/pt patched")
    k.ok("get", "deploy", "pt", "-o", "jsonpath={.spec.template.spec.containers[0].image}").prints(
        "registry.example/p:1")
    k.ok("patch", "deploy", "pt", "--type=merge", "-p", '{"spec":{"paused":true}}').says("patched")
    k.ok("patch", "deploy", "pt", "--type=merge", "-p", '{"spec":{"paused":true}}').prints(
        "deployment.apps/pt patched (no change)")
    k.ok("patch", "deploy", "pt", "--type=json", "-p",
         '[{"op":"test","path":"/spec/paused","value":true},{"op":"replace","path":"/spec/paused","value":false}]')
    k.fails("patch", "deploy", "pt", "--type=json", "-p", '[{"op":"remove","path":"/spec/nope"}]').says("nope")
    k.fails("patch", "deploy", "pt", "-p", '{"spec":{"replicas":"many"}}').says("replicas")
    k.ok("patch", "deploy", "pt", "--subresource=status", "--type=merge", "-p",
         '{"status":{"conditions":[{"type":"Odd","status":"True"}]},"spec":{"replicas":9}}').says("patched")
    k.ok("get", "deploy", "pt", "-o", "jsonpath={.spec.replicas}").prints("0")
    k.ok("get", "deploy", "pt", "--subresource=status", "-o", "name").says("deployment.apps/pt")
    k.fails("patch", "deploy", "nope", "-p", "{}").says('deployments.apps "nope" not found')
    k.ok("delete", "deploy", "pt")


@case("edit writes what the editor left")
def edit(k):
    k.ok("create", "configmap", "ed", "--from-literal=word=before")
    script = k.file("editor.sh", "#!/bin/sh\nsed -i s/before/after/ \"$1\"\n")
    os.chmod(script, 0o755)
    k.ok("edit", "cm", "ed", env={"EDITOR": script}).prints("configmap/ed edited")
    k.ok("get", "cm", "ed", "-o", "jsonpath={.data.word}").prints("after")
    k.ok("edit", "cm", "ed", env={"EDITOR": script}).says("Edit cancelled, no changes made.")
    k.ok("delete", "cm", "ed")


@case("set changes image, environment, resources and selectors")
def set_parts(k):
    k.ok("create", "deployment", "st", "--image=registry.example/s:1", "--replicas=0")
    container = k.value("deploy st", "{.spec.template.spec.containers[0].name}")
    k.ok("set", "image", "deploy/st", f"{container}=registry.example/s:2").prints("deployment.apps/st image updated")
    k.ok("set", "env", "deploy/st", "A=1", "B=2").prints("deployment.apps/st env updated")
    k.ok("set", "env", "deploy/st", "--list").says("A=1", "B=2")
    k.ok("set", "env", "deploy/st", "A-").says("env updated")
    k.ok("set", "resources", "deploy/st", "--limits=cpu=200m,memory=64Mi", "--requests=cpu=100m").prints(
        "deployment.apps/st resource requirements updated")
    k.ok("get", "deploy", "st", "-o", "jsonpath={.spec.template.spec.containers[0]}").says(
        '"image":"registry.example/s:2"', '"memory":"64Mi"', '"cpu":"100m"', '"name":"B"').says_not('"name":"A"')
    k.fails("set", "image", "deploy/st", "nope=x").says('unable to find container named "nope"')
    k.ok("set", "serviceaccount", "deploy/st", "default").says("serviceaccount updated")
    k.ok("delete", "deploy", "st")


@case("scale changes the number, under conditions if asked")
def scale(k):
    k.ok("create", "deployment", "sc", "--image=registry.example/s:1", "--replicas=1")
    k.ok("scale", "deploy/sc", "--replicas=3").prints("deployment.apps/sc scaled")
    k.fails("scale", "deploy/sc", "--current-replicas=1", "--replicas=2").says("Expected replicas to be 1, was 3")
    k.ok("scale", "deploy/sc", "--current-replicas=3", "--replicas=2").prints("deployment.apps/sc scaled")
    k.eventually("get", "deploy", "sc", "--no-headers", until=lambda d: "2/2" in d.out, what="two are ready")
    k.ok("get", "--raw", f"/apis/apps/v1/namespaces/{k.ns}/deployments/sc/scale").says('"kind":"Scale"', '"replicas":2')
    k.fails("scale", "deploy/nope", "--replicas=1").says("no objects passed to scale" if k.version == "1.27"
                                                         else 'deployments.apps "nope" not found')
    k.fails("scale", "deploy/sc", "--replicas=-1").says("replicas")
    k.ok("delete", "deploy", "sc")


@case("expose makes a service that finds its pods")
def expose(k):
    k.ok("expose", "deploy", "web", "--port=80", "--target-port=8080", "--name=front").prints("service/front exposed")
    k.eventually("get", "endpoints", "front", "-o", "jsonpath={.subsets[0].addresses[*].ip}",
                 until=lambda d: len(d.out.split()) == 2, what="two addresses")
    k.ok("get", "endpoints", "front").says("NAME", "ENDPOINTS", "AGE", ":8080")
    k.ok("get", "endpointslices").columns("NAME", "ADDRESSTYPE", "PORTS", "ENDPOINTS", "AGE").says("IPv4", "8080")
    k.ok("describe", "svc", "front").says("Selector:", "app=web", "TargetPort:", "8080/TCP", "Endpoints:", ":8080")
    k.fails("expose", "deploy", "web", "--port=80", "--name=front").says('services "front" already exists')
    k.ok("delete", "svc", "front").prints('service "front" deleted')
