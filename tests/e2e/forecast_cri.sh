#!/usr/bin/env bash
# The same with real containers: the guestbook on two nodes, as in the demo. The first rollout gives the cluster a past
# (how long these images take to start, to be ready and to stop here); the next ones are foretold from it.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root"
for tool in containerd runc nft ip git; do command -v $tool >/dev/null || skip "$tool is not installed"; done
[ -x "$KUBECTL" ] || skip "no kubectl"
. "$SOURCE/tests/e2e/forecast.sh"
PLAN_PATH=manifests
check "images are made" "$SOURCE/scripts/images" "$WORK/images"
make_repo
start --nodes 2 --runtime cri --images "$WORK/images" --repo "$WORK/repo.git" --branch main --path manifests --listen 127.0.0.1:0
eventually 120 "the first commit is healthy" noted "$(git -C "$WORK/clone" rev-parse HEAD)" healthy
cp "$SOURCE"/examples/repos/guestbook/v2/* "$WORK/clone/manifests/"
commit "guestbook v2"
eventually 120 "the second commit is healthy" noted "$(git -C "$WORK/clone" rev-parse HEAD)" healthy
eventually 60 "the old pods are gone" settled
sleep 1
cp "$SOURCE/examples/repos/guestbook/manifests/web.yaml" "$WORK/clone/manifests/"
foretell "back to the first front end"
cat "$WORK/compared.last"
sed -i 's/replicas: 3/replicas: 4/' "$WORK/clone/manifests/web.yaml"; foretell "one more front end"
sed -i 's/replicas: 4/replicas: 2/; s/web:v1/web:v2/' "$WORK/clone/manifests/web.yaml"; foretell "two fewer, and new ones"
cat "$WORK/compared.last"
# A follower is ready when it has copied the leader; asked once in between, it would be a second later: chance.
sed -i 's/            periodSeconds: 1/            initialDelaySeconds: 3\n&/' "$WORK/clone/manifests/redis-follower.yaml"
foretell "followers anew"
if stop; then say "ok: Ctrl-C stops it cleanly"; else fail "Ctrl-C ends with an error"; fi
finish
