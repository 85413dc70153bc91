#!/usr/bin/env python3
"""No secret leaves by another door than the one it is kept behind: canaries in every place where a secret may stand, and
everything that the program says, writes or answers is searched for them.

STEER is the binary. Nothing but loopback and a folder below /tmp is used.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from plants import Canaries, credentials, good_files, last_applied, LAST_APPLIED, wrong_files  # noqa: E402
from stage import Stage  # noqa: E402

AP = "/apis/steersman.dev/v1/namespaces/app"
SECRETS = "/api/v1/namespaces/app/secrets"
FORMATS = ("text", "json", "yaml", "markdown", "html")


def secret(name, **members):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "app"}, **members}


def say_everything(stage, what, *source):
    """Each command that looks at a source, in each form that it can print."""
    for form in FORMATS:
        stage.steer(f"{what}: plan {form}", "plan", *source, "-o", form)
        stage.steer(f"{what}: plan --show-creates {form}", "plan", *source, "--show-creates", "-o", form)
    stage.steer(f"{what}: plan --no-force", "plan", *source, "--no-force")
    stage.steer(f"{what}: plan --simulate", "plan", *source, "--simulate")
    stage.steer(f"{what}: plan --out", "plan", *source, "--out", f"{stage.work}/saved-{len(stage.outputs)}.plan")
    for form in ("text", "json", "yaml"):
        stage.steer(f"{what}: validate {form}", "validate", *source, "-o", form)


def look_back(stage, what):
    """What the server tells afterwards."""
    for form in ("text", "json", "yaml"):
        stage.steer(f"{what}: status {form}", "status", "-o", form)
        stage.steer(f"{what}: history {form}", "history", "-o", form)
    stage.steer(f"{what}: what others changed", "plan", "--refresh-only", "--repo", stage.bare, "--path", "good")


def git_mistakes(stage, canaries):
    for path, text in wrong_files(canaries).items():
        stage.write(path, text)
    say_everything(stage, "wrong files", f"{stage.repo}/wrong")
    stage.steer("wrong files: apply", "apply", f"{stage.repo}/wrong", "-y")
    stage.steer("wrong files: diff", "diff", f"{stage.repo}/wrong", f"{stage.repo}/good")
    for name in sorted(os.listdir(f"{stage.repo}/wrong")):
        stage.steer(f"render {name}", "render", f"{stage.repo}/wrong/{name}", only_errors=True)
    stage.push("mistakes")
    stage.until_seen("mistakes")
    look_back(stage, "wrong files pushed")


def right_secrets(stage, canaries):
    """Secrets that are applied, changed, changed by others, fought over, and gone back on."""
    for version in (2, 3):
        before = f"{stage.work}/before-{version}"
        stage.copy("good", before)
        for path, text in good_files(canaries, version).items():
            stage.write(path, text)
        say_everything(stage, f"version {version}", f"{stage.repo}/good")
        for form in ("text", "json", "yaml"):
            stage.steer(f"version {version}: diff {form}", "diff", before, f"{stage.repo}/good", "-o", form)
        stage.push(f"version {version}")
        stage.until_seen(f"version {version}")
        look_back(stage, f"version {version}")
    for name, how in (("plain", "drift"), ("lines", "drift of lines")):
        stage.ask(how, "PATCH", f"{SECRETS}/{name}", {"stringData": {"p": canaries.new(how), "q": canaries.new(how)}},
                  kind="application/merge-patch+json")
        stage.ask(how, "PATCH", f"{SECRETS}/{name}", {"metadata": {"annotations": {LAST_APPLIED: last_applied(
            canaries.new(how + ", last-applied"))}}}, kind="application/merge-patch+json")
        look_back(stage, how)
    stage.steer("rollback", "rollback", "root", "--timeout", "20")
    look_back(stage, "rollback")


def conflicts(stage, canaries):
    """Two managers want one secret."""
    apply = "application/apply-patch+yaml"
    one, two = canaries.new("the first manager"), canaries.new("the second manager")
    for manager, value in (("one", one), ("two", two)):
        stage.ask(f"apply of {manager}", "PATCH", f"{SECRETS}/fought?fieldManager={manager}",
                  secret("fought", stringData={"p": value}), kind=apply)
        stage.ask(f"apply of {manager} as data", "PATCH", f"{SECRETS}/fought?fieldManager={manager}",
                  secret("fought", data={"p": value + "=="}), kind=apply)
    stage.make("mine/s.yaml", f"apiVersion: v1\nkind: Secret\nmetadata: {{name: fought, namespace: app}}\n"
               f"stringData: {{p: {canaries.new('a conflict of the command line')}}}\n")
    say_everything(stage, "conflict", f"{stage.work}/mine")
    stage.steer("conflict: apply --no-force", "apply", f"{stage.work}/mine", "-y", "--no-force")
    stage.steer("conflict: apply", "apply", f"{stage.work}/mine", "-y", "--wait")


def wrong_requests(stage, canaries):
    """Each request that is refused speaks of the mistake, not of the value."""
    new, post = canaries.new, ("POST", SECRETS)
    stage.ask("broken JSON", *post, '{"kind": "Secret", "stringData": {"p": "%s}' % new("broken JSON"))
    stage.ask("broken YAML", *post, "kind: Secret\nstringData: {p: *%s}" % new("broken YAML"), kind="application/yaml")
    stage.ask("broken protobuf", *post, b"k8s\0\n\x0c\n\x02v1\x12\x06Secret\x12\x40\x0a" + new("protobuf").encode(),
              kind="application/vnd.kubernetes.protobuf")
    bodies = {"not base64": {"data": {"p": new("not base64") + "!"}}, "text as data": {"data": new("text as data")},
              "a number": {"stringData": {"p": [new("a list as value")]}}, "no field": {"password": new("no field")},
              "bad key": {"stringData": {"a b": new("value of a bad key")}},
              "bad type": {"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": new("docker")}},
              "immutable": {"immutable": new("immutable"), "stringData": {}}, "tls": {
                  "type": "kubernetes.io/tls", "stringData": {"tls.key": new("tls")}}}
    for what, body in bodies.items():
        for strict in ("Strict", "Warn"):
            stage.ask(what, "POST", f"{SECRETS}?fieldValidation={strict}", secret("refused", **body), refused=strict == "Strict")
    stage.ask("immutable", *post, secret("still", immutable=True, stringData={"p": new("an immutable value")}), quiet=True)
    stage.ask("immutable changed", "PATCH", f"{SECRETS}/still", {"stringData": {"p": new("immutable, changed")}},
              kind="application/merge-patch+json", refused=True)
    for op in ("test", "replace", "add"):
        stage.ask(f"JSON patch {op}", "PATCH", f"{SECRETS}/still",
                  [{"op": op, "path": "/data/nope/deeper", "value": new(f"JSON patch {op}")}], kind="application/json-patch+json",
                  refused=True)
    stage.ask("JSON patch of text", "PATCH", f"{SECRETS}/still", new("JSON patch of text"), kind="application/json-patch+json",
              refused=True)
    stage.ask("merge patch of a list", "PATCH", f"{SECRETS}/still", {"data": [new("merge patch of a list")]},
              kind="application/merge-patch+json", refused=True)
    stage.ask("strategic patch", "PATCH", f"{SECRETS}/still", {"data": {"$patch": new("strategic patch")}},
              kind="application/strategic-merge-patch+json", refused=True)
    stage.ask("batch", "POST", "/apis/steersman.dev/v1/batch", {"writes": [{"verb": "create", "object": secret(
        "refused", data={"p": new("batch") + "!"})}]}, refused=True)


def strangers(stage, canaries):
    """Tokens that are not good for anything are secrets all the same."""
    for how in ("Bearer ", "Basic ", "Negotiate ", ""):
        stage.ask(f"authorization {how}", "GET", SECRETS, headers={"Authorization": how + canaries.new("a bad token")},
                  stranger=True, refused=True)
    stage.ask("token in a query", "GET", f"{SECRETS}?access_token=" + canaries.new("a token in the query of a request"),
              stranger=True, refused=True)
    stage.ask("impersonation", "GET", SECRETS, headers={"Impersonate-Extra-Token": canaries.new("impersonation")})
    stage.ask("cookie", "GET", SECRETS, headers={"Cookie": canaries.new("a cookie")}, stranger=True, refused=True)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": canaries.new("token review")}}
    answer = stage.ask("token review", "POST", "/apis/authentication.k8s.io/v1/tokenreviews", review, quiet=True)
    stage.keep("token review: status", str(answer.get("status")))


def repositories(stage, canaries):
    """Addresses with passwords, and Secrets with credentials for a repository that does not answer."""
    for n, url in enumerate(credentials(canaries, stage.closed_port)):
        stage.steer(f"plan --repo {n}", "plan", "--repo", url)
        stage.steer(f"validate --repo {n}", "validate", "--repo", url)
        stage.steer(f"plan --out --repo {n}", "plan", "--repo", url, "--out", f"{stage.work}/repo-{n}.plan")
        if "#" in url:  # a fragment is no secret; it is what nobody understands
            continue
        stage.make(f"app-{n}/a.yaml", "apiVersion: steersman.dev/v1\nkind: Application\n"
                   f"metadata: {{name: url-{n}, namespace: app}}\nspec: {{source: {{url: \"{url}\"}}}}\n")
        for form in FORMATS:
            stage.steer(f"plan of an application {n} {form}", "plan", f"{stage.work}/app-{n}", "--show-creates", "-o", form)
        stage.steer(f"apply of an application {n}", "apply", f"{stage.work}/app-{n}", "-y")
    keys = {"password": {"username": "u", "password": canaries.new("a password of a Secret")},
            "bearer": {"bearerToken": canaries.new("a bearer token of a Secret")},
            "key": {"identity": canaries.new("a broken key"), "passphrase": canaries.new("a passphrase")},
            "known": {"known_hosts": canaries.new("known hosts"), "identity": canaries.new("an identity")}}
    for n, (name, data) in enumerate(keys.items()):
        scheme = "http" if name in ("password", "bearer") else "ssh"
        stage.ask(name, "POST", SECRETS, secret(f"key-{name}", stringData=data), quiet=True)
        source = {"url": f"{scheme}://127.0.0.1:{stage.closed_port}/{n}.git", "interval": "1s", "secretRef": {"name": f"key-{name}"}}
        stage.ask(name, "POST", f"{AP}/applications", {"apiVersion": "steersman.dev/v1", "kind": "Application", "metadata": {
            "name": f"with-{name}", "namespace": "app"}, "spec": {"source": source}})
        stage.ask(name, "POST", f"{AP}/gitrepositories", {"apiVersion": "steersman.dev/v1", "kind": "GitRepository", "metadata": {
            "name": f"with-{name}", "namespace": "app"}, "spec": source})
    for name in keys:
        stage.until_told(f"with-{name}")
    for suffix in ("good", "wrong", "nothing"):
        stage.make(f"password-{suffix}", canaries.new("a file of a password"))
        stage.steer(f"up with a password {suffix}", "up", "--data-dir", f"{stage.work}/second", "--listen", "127.0.0.1:0",
                    "--runtime", "sim", "--repo", f"gopher://127.0.0.1:{stage.closed_port}/x.git", "--repo-password-file",
                    f"{stage.work}/password-{suffix}")
    look_back(stage, "repositories")


def workloads(stage, canaries):
    """Pods that take a secret into their environment and their command."""
    stage.ask("a secret for pods", "POST", SECRETS, secret("env", stringData={"PW": canaries.new("a value of the environment")}),
              quiet=True)
    env = [{"name": "PW", "valueFrom": {"secretKeyRef": {"name": "env", "key": "PW"}}}]
    container = {"name": "c", "image": "registry.example/none:v1", "command": ["$(PW)"], "args": ["--password=$(PW)"], "env": env,
                 "envFrom": [{"secretRef": {"name": "env"}}]}
    stage.ask("a pod", "POST", "/api/v1/namespaces/app/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {
        "name": "takes", "namespace": "app"}, "spec": {"containers": [container]}})
    stage.until_true("the pod runs", lambda: stage.ask("the pod", "GET", "/api/v1/namespaces/app/pods/takes").get(
        "status", {}).get("phase") == "Running")


def main():
    canaries = Canaries()
    with Stage(os.environ["STEER"]) as stage:
        stage.write("ns.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: app}\n")
        for path, text in good_files(canaries, 1).items():
            stage.write(path, text)
        say_everything(stage, "before the first version", stage.repo)
        stage.push("version 1")
        stage.start()
        stage.until_seen("version 1")
        for part in (right_secrets, conflicts, wrong_requests, strangers, repositories, workloads, git_mistakes):
            part(stage, canaries)
        stage.gather()
        leaks = sorted({(place, form, output, text.replace("\n", " ")) for output, said in stage.outputs
                        for place, form, text in canaries.leaks(said)})
        stage.failures += [f"{output} shows {place} ({form}): …{text}…" for place, form, output, text in leaks]
        enough = sum(len(said) for _, said in stage.outputs)
        if enough < 100_000:
            stage.failures.append(f"only {enough} bytes were looked at: the outputs are not there")
        for failure in stage.failures:
            print("FAILED:", failure)
        print(f"{len(canaries.planted)} canaries, {len(stage.outputs)} outputs, {enough} bytes; {len(stage.failures)} failures")
        return 1 if stage.failures else 0


if __name__ == "__main__":
    sys.exit(main())
