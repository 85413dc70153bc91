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


@case("roles are made and bound, and their holder may what they say and no more")
def roles(k):
    ns = k.fresh("roles")
    k.ok("create", "serviceaccount", "reader", ns=ns)
    me = as_account(k, k.ok("create", "token", "reader", ns=ns).out.strip())
    k.fails("get", "configmaps", ns=ns, env=me).says("(Forbidden)")
    k.ok("create", "role", "reader", "--verb=get,list", "--resource=configmaps,deployments.apps", ns=ns).says("created")
    k.ok("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={ns}:reader", ns=ns).says("created")
    k.ok("get", "configmaps", ns=ns, env=me)
    k.ok("auth", "can-i", "list", "deployments.apps", ns=ns, env=me).prints("yes")
    k.fails("auth", "can-i", "delete", "deployments.apps", ns=ns, env=me).says("no")
    k.ok("auth", "can-i", "--list", ns=ns, env=me).says("configmaps", "deployments.apps", "[get list]",
                                                         "selfsubjectaccessreviews.authorization.k8s.io")
    k.fails("delete", "configmap", "kube-root-ca.crt", ns=ns, env=me).says(
        f'configmaps "kube-root-ca.crt" is forbidden: User "system:serviceaccount:{ns}:reader" cannot delete resource '
        f'"configmaps" in API group "" in the namespace "{ns}"')
    k.ok("get", "roles,rolebindings", ns=ns).says("reader", "Role/reader")
    k.ok("describe", "rolebinding", "reader", ns=ns).says("ServiceAccount", "reader")
    k.ok("delete", "rolebinding", "reader", ns=ns)
    k.fails("get", "configmaps", ns=ns, env=me).says("(Forbidden)")


@case("the default roles are there, and nobody gives away more than they have")
def default_roles(k):
    ns = k.fresh("defaults")
    k.ok("get", "clusterroles", ns=None).says("cluster-admin", "admin", "edit", "view")
    k.ok("create", "serviceaccount", "lead", ns=ns)
    k.ok("create", "rolebinding", "lead", "--clusterrole=admin", f"--serviceaccount={ns}:lead", ns=ns)
    me = as_account(k, k.ok("create", "token", "lead", ns=ns).out.strip())
    k.ok("create", "configmap", "mine", "--from-literal=a=b", ns=ns, env=me)
    k.ok("create", "rolebinding", "more", "--clusterrole=view", "--user=ann", ns=ns, env=me)
    k.ok("get", "configmaps", "--as=ann", ns=ns)
    k.fails("get", "secrets", "--as=ann", ns=ns).says('User "ann" cannot list resource "secrets"')
    k.fails("create", "rolebinding", "all", "--clusterrole=cluster-admin", "--user=ann", ns=ns, env=me).says(
        "attempting to grant RBAC permissions not currently held")
    k.eventually("get", "clusterrole", "admin", "-o", "jsonpath={.rules[*].resources}", ns=None,
                 until=lambda done: "deployments" in done.out and "rolebindings" in done.out,
                 what="the admin role shows what it consists of")


@case("who may acts as somebody else, and who may not hears so")
def impersonation(k):
    k.ok("auth", "whoami", "--as=bob", "--as-group=devs").says("bob", "devs", "system:authenticated")
    k.fails("get", "pods", "--as=bob").says('User "bob" cannot list resource "pods"')
    k.ok("get", "pods", "--as=bob", "--as-group=system:masters")
    k.ok("create", "serviceaccount", "actor")
    me = as_account(k, k.ok("create", "token", "actor").out.strip())
    k.fails("get", "pods", "--as=admin", env=me).says(
        f'User "system:serviceaccount:{k.ns}:actor" cannot impersonate resource "users" in API group "" '
        "at the cluster scope")
    k.fails("auth", "can-i", "list", "pods", f"--as=system:serviceaccount:{k.ns}:actor").says("no")
