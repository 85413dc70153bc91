#!/usr/bin/env bash
# From git push to healthy and back to a status commit, on simulated nodes: the real binary, real git, real kubectl.
. "$(dirname "$0")/lib.sh"
command -v git >/dev/null || skip "git is not installed"
[ -x "$KUBECTL" ] || skip "no kubectl"
k() { "$KUBECTL" "$@"; }
ns=guestbook

make_repo
start --nodes 2 --runtime sim --repo "$WORK/repo.git" --branch main --path manifests --listen 127.0.0.1:0
available() { [ "$(k -n $ns get deploy "$1" -o "jsonpath={.status.availableReplicas}/{.status.updatedReplicas}")" = "$2/$2" ]; }
noted() { git -C "$WORK/repo.git" log -1 --notes=steersman --format=%N "$1" | grep -qi "$2"; }

check "both nodes are Ready" bash -c "[ \$($KUBECTL get nodes --no-headers | grep -cw Ready) = 2 ]"
eventually 60 "the front end becomes available" available guestbook-web 3
eventually 60 "the followers become available" available redis-follower 2
first=$(git -C "$WORK/clone" rev-parse HEAD)
eventually 60 "the first commit is noted as healthy" noted "$first" healthy
check "planning after applying is empty" exits 0 "$STEER" plan --repo "$WORK/repo.git" --rev main --path manifests --detailed-exitcode

cp "$SOURCE"/examples/repos/guestbook/v2/* "$WORK/clone/manifests/"
commit "guestbook v2"
second=$(git -C "$WORK/clone" rev-parse HEAD)
eventually 90 "the second commit is noted as healthy" noted "$second" healthy
check "the front end runs v2" outputs ":v2" k -n $ns get deploy guestbook-web -o yaml
check "the status branch exists" git -C "$WORK/repo.git" rev-parse -q --verify refs/heads/steersman/status
check "status names the commit" outputs "${second:0:7}" "$STEER" status
check "history shows both commits" outputs "${first:0:7}" "$STEER" history

k -n $ns delete deploy guestbook-web --wait=false >/dev/null
eventually 20 "a deleted deployment comes back" available guestbook-web 3
k -n $ns scale deploy guestbook-web --replicas=1 >/dev/null
eventually 20 "a live edit is healed" available guestbook-web 3

printf 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: broken\n  namespace: guestbook\nspec:\n  replicsa: 2\n' >"$WORK/clone/manifests/broken.yaml"
commit "a mistake"
bad=$(git -C "$WORK/clone" rev-parse HEAD)
eventually 30 "the mistake is noted with file and line" noted "$bad" "broken.yaml:7"
check "nothing was deleted because of it" available guestbook-web 3
git -C "$WORK/clone" rm -q manifests/broken.yaml; commit "without the mistake"
eventually 60 "the fix is applied" noted "$(git -C "$WORK/clone" rev-parse HEAD)" healthy

murder
start --nodes 2 --runtime sim --repo "$WORK/repo.git" --branch main --path manifests --listen 127.0.0.1:0
eventually 60 "after kill -9 everything is available again" available guestbook-web 3
git -C "$WORK/clone" rm -q manifests/config.yaml manifests/redis-follower.yaml manifests/redis-leader.yaml manifests/web.yaml
commit "only the namespace stays"
removal=$(git -C "$WORK/clone" rev-parse HEAD)
eventually 60 "a mass deletion waits for a person" outputs "NeedsConfirmation" "$STEER" status
check "nothing of it was deleted" available guestbook-web 3
check "it is confirmed" "$STEER" approve "${removal:0:9}"
eventually 60 "what left the repository leaves the cluster" bash -c "[ -z \"\$($KUBECTL -n $ns get deploy -o name)\" ]"
if stop; then say "ok: Ctrl-C stops it cleanly"; else fail "Ctrl-C ends with an error"; fi
finish
