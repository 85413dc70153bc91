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
