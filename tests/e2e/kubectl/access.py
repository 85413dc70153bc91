"""Who one is and what one may."""
from bench import case


@case("the administrator is known and may do everything")
def whoami(k):
    k.ok("auth", "whoami").says(
        "ATTRIBUTE", "Username", "Groups", "system:masters", "system:authenticated")
    k.ok("auth", "can-i", "delete", "pods").prints("yes")
    k.ok("auth", "can-i", "create", "deployments.apps", "--subresource=scale").prints("yes")
    k.ok("auth", "can-i", "*", "*").prints("yes")
    k.ok("auth", "can-i", "get", "/logs/").says("yes")


def as_account(k, token):
    """A kubeconfig of someone who has nothing but this token."""
    admin = k.ok("config", "view", "--raw", "-o", "json", ns=None).json()["clusters"][0]["cluster"]
    return {"KUBECONFIG": k.file("account.kubeconfig", f"""apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "{admin['server']}",
  certificate-authority-data: {admin['certificate-authority-data']}}}}}]
users: [{{name: u, user: {{token: {token}}}}}]
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
current-context: c
""")}


@case("a service account's token is made, and who shows it is that account")
def account_token(k):
    k.ok("create", "serviceaccount", "robot")
    token = k.ok("create", "token", "robot", "--duration=20m").out.strip()
    k.ok("auth", "whoami", env=as_account(k, token)).says(
        f"system:serviceaccount:{k.ns}:robot", "system:serviceaccounts", f"system:serviceaccounts:{k.ns}",
        "system:authenticated")
    k.fails("get", "pods", env=as_account(k, token)).says(
        "(Forbidden)", f'User "system:serviceaccount:{k.ns}:robot" cannot list resource "pods" in API group "" '
        f'in the namespace "{k.ns}"')
    k.fails("get", "pods", env=as_account(k, token[:-4] + "AAAA")).says("must be logged in")
    k.fails("create", "token", "nobody").says('serviceaccounts "nobody" not found')
    k.fails("create", "token", "robot", "--duration=1m").says("10 minutes")
    k.ok("delete", "serviceaccount", "robot")
    k.fails("get", "pods", env=as_account(k, token)).says("must be logged in")


@case("every namespace has a default service account and the cluster's certificate")
def namespace_gifts(k):
    ns = k.fresh("gifts")
    k.eventually("get", "serviceaccount/default", "configmap/kube-root-ca.crt", ns=ns,
                 until=lambda done: done.code == 0, what="the default account and the certificate are there")
    k.ok("create", "token", "default", ns=ns).says(".")
    k.ok("get", "--raw", "/.well-known/openid-configuration", ns=None).says("jwks_uri")
    k.ok("get", "--raw", "/openid/v1/jwks", ns=None).says("ES256")
