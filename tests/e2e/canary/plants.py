"""Where a person, a program or a repository may put a secret: each place with a canary of its own."""
import base64
import urllib.parse


class Canaries:
    """Texts that occur nowhere else, and every form in which they may come out again."""

    def __init__(self):
        self.planted = {}

    def new(self, place):
        name = f"Cnry{len(self.planted):03d}zzQx"
        self.planted[name] = place
        return name

    @staticmethod
    def forms(name):
        raw = name.encode()
        yield "as it is", raw
        yield "percent-encoded", "".join(f"%{byte:02x}" for byte in raw).encode()
        yield "hexadecimal", raw.hex().encode()
        for shift in range(3):  # base64 of a text that holds it: by where in a group of three it begins
            coded = base64.b64encode(b"\0" * shift + raw)
            yield "base64", coded[(0, 2, 3)[shift]:len(coded) - 4]

    def leaks(self, text):
        """(place, form) of every canary in these bytes."""
        text = text if isinstance(text, bytes) else text.encode(errors="replace")
        lower = text.lower()
        out = []
        for name, place in self.planted.items():
            for form, needle in self.forms(name):
                at = (lower if form in ("percent-encoded", "hexadecimal") else text).find(needle)
                if at >= 0:
                    out.append((place, form, text[max(0, at - 120):at + 60].decode(errors="replace")))
                    break
        return out


# Mistakes in the values of a Secret's manifest: what stands at @ is the secret. {key: lines below stringData}.
YAML_MISTAKES = {
    "alias": "p: *@", "tag": "p: !@", "tag-text": "p: !@ x", "tag-core": "p: !!@ x", "anchor": "p: &@", "directive": "%@",
    "at": "p: \"\\@\"", "tick": "p: `@", "colon": "p: a: @", "flow": "p: {@", "flow-list": "p: [@, b", "escape": 'p: "\\q@"',
    "pipe": "p: |@", "fold": "p: >@", "scalar": "@", "list": "p: - @", "merge": "<<: @", "merge-alias": "<<: *@",
    "template": "p: {{ @ }}", "number": "p: 1@", "quote": "p: 'a'@", "quotes": 'p: "a" @', "tab": "p:\t@\n\tq: @",
    "lines": "p: a\n @", "control": 'p: "@\x01"', "document": "p: x\n--- @", "question": "p: ?@", "unclosed": 'p: "@',
    "twice": "p: a\np: @", "mapping": "p: {q: @}", "items": "p: [@]", "surrogate": 'p: "@\\ud800"', "key": "'not a key @!': x",
    "bare": "p:@", "anchored": "p: &a @\nq: *b", "long": "p: " + "@" * 40 + ": x",
}

HEAD = "apiVersion: v1\nkind: Secret\nmetadata: {name: NAME, namespace: app}\n"

# Whole manifests that are wrong elsewhere than in stringData.
WRONG_MANIFESTS = {
    "not-base64": HEAD + "data: {p: '@ not base64'}\n",
    "data-text": HEAD + "data: @\n",
    "data-list": HEAD + "data: [@]\n",
    "no-such-field": HEAD + "password: @\n",
    "misspelt": HEAD + "stringdata: {p: @}\n",
    "other-version": HEAD.replace("v1", "v7") + "stringData: {p: @}\n",
    "other-kind": HEAD.replace("kind: Secret", "kind: Secrets") + "stringData: {p: @}\n",
    "no-kind": HEAD.replace("kind: Secret\n", "") + "stringData: {p: @}\n",
    "no-name": HEAD.replace("name: NAME, ", "") + "stringData: {p: @}\n",
    "no-namespace": HEAD.replace("namespace: app", "namespace: nowhere") + "stringData: {p: @}\n",
    "docker": HEAD + "type: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: '@{'}\n",
    "docker-old": HEAD + "type: kubernetes.io/dockercfg\nstringData: {.dockercfg: '@{'}\n",
    "tls": HEAD + "type: kubernetes.io/tls\nstringData: {tls.key: @}\n",
    "basic": HEAD + "type: kubernetes.io/basic-auth\nstringData: {secret: @}\n",
    "ssh": HEAD + "type: kubernetes.io/ssh-auth\nstringData: {private: @}\n",
    "account": HEAD + "type: kubernetes.io/service-account-token\nstringData: {token: @}\n",
    "bad-immutable": HEAD + "immutable: '@'\nstringData: {p: @}\n",
    "bad-type": HEAD + "type: [@]\n",
    "twice-declared": HEAD + "stringData: {p: @}\n---\n" + HEAD + "stringData: {p: x@}\n",
    "in-list": "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: NAME, namespace: app}\n  data: {p: '@!'}\n",
    "secret-list": "apiVersion: v1\nkind: SecretList\nitems:\n- metadata: {name: NAME, namespace: app}\n  stringData: {p: [@]}\n",
    "json": '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "NAME", "namespace": "app"}, "stringData": {"p": "@}',
    "broken-neighbour": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {a: b\n---\n" + HEAD + "stringData: {p: @}\n",
    "conflict": HEAD + "stringData:\n<<<<<<< @\n  p: @\n=======\n  p: x@\n>>>>>>> @\n",
}

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def wrong_files(canaries):
    """{path: text} of everything above."""
    files = {}
    for name, body in YAML_MISTAKES.items():
        value = canaries.new("a mistake of YAML in Git: " + name)
        lines = "  " + body.replace("@", value).replace("\n", "\n  ")
        files[f"wrong/yaml-{name}.yaml"] = HEAD.replace("NAME", "yaml-" + name) + "stringData:\n" + lines + "\n"
    for name, body in WRONG_MANIFESTS.items():
        value = canaries.new("a wrong manifest in Git: " + name)
        ending = "json" if name == "json" else "yaml"
        files[f"wrong/{name}.{ending}"] = body.replace("NAME", name).replace("@", value)
    return files


def last_applied(value):
    return '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"p":"' + value + '"}}'


def good_files(canaries, version):
    """Secrets that are right, and change with the version."""
    def new(place):
        return canaries.new(f"{place} (version {version})")
    plain = HEAD.replace("NAME", "plain") + f"stringData: {{p: {new('stringData')}}}\n"
    coded = base64.b64encode(new("data").encode()).decode()
    data = HEAD.replace("NAME", "coded") + f"data: {{p: {coded}}}\n"
    dumped = HEAD.replace("NAME", "dumped").replace(
        "namespace: app", "namespace: app, annotations: {" + LAST_APPLIED + ": '" + last_applied(new("last-applied")) +
        "'}") if version % 2 else HEAD.replace("NAME", "dumped")
    fixed = HEAD.replace("NAME", "fixed") + f"immutable: true\nstringData: {{p: {new('immutable')}}}\n"
    lines = HEAD.replace("NAME", "lines") + "stringData:\n  f: |\n" + "".join(
        f"    line {n}: {new('a line of a file')}\n" for n in range(3))
    hook = HEAD.replace("NAME", "hooked").replace("namespace: app", "namespace: app, annotations: {"
                                                  "steersman.dev/hook: pre-sync}") + f"stringData: {{p: {new('a hook')}}}\n"
    return {"good/plain.yaml": plain, "good/coded.yaml": data, "good/dumped.yaml": dumped + "stringData: {p: x}\n",
            "good/fixed.yaml": fixed, "good/lines.yaml": lines, "good/hooked.yaml": hook}


def credentials(canaries, port):
    """Addresses of repositories that hold a password or a token, none of which answers."""
    base = f"127.0.0.1:{port}/x.git"
    quoted = urllib.parse.quote(canaries.new("a quoted password in an address") + "@/:")
    return [f"http://u:{canaries.new('a password in an address')}@{base}", f"http://{canaries.new('a token as user')}@{base}",
            f"http://u:{quoted}@{base}", f"http://{base}?private_token={canaries.new('a token in the query of an address')}",
            f"http://{base}#{canaries.new('a fragment of an address')}",
            f"ssh://git:{canaries.new('a password in an ssh address')}@{base}",
            f"gopher://u:{canaries.new('a password for an unknown transport')}@{base}",
            f"http://u:{canaries.new('a password in a wrong address')}@127.0.0.1:notaport/x.git"]
