#!/usr/bin/env bash
# The same line with real containers: two nodes in network namespaces, a service address that answers, and a rolling
# update under a client loop that loses no request.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root"
for tool in containerd runc nft ip git; do command -v $tool >/dev/null || skip "$tool is not installed"; done
[ -x "$KUBECTL" ] || skip "no kubectl"
k() { "$KUBECTL" "$@"; }
ns=guestbook
check "images are made" "$SOURCE/scripts/images" "$WORK/images"
make_repo
# What bears this cluster's tag; other clusters and tests on the machine come and go.
tagged() { { ip -o link; ip netns list; nft list tables; } | grep -c "$(grep -o '"tag": "[^"]*' "$D/cluster.json" | cut -d'"' -f4)"; }
start --nodes 2 --runtime cri --images "$WORK/images" --repo "$WORK/repo.git" --branch main --path manifests --listen 127.0.0.1:0
available() { [ "$(k -n $ns get deploy "$1" -o "jsonpath={.status.availableReplicas}/{.status.updatedReplicas}")" = "$2/$2" ]; }
eventually 120 "the front end becomes available" available guestbook-web 3
eventually 60 "the followers become available" available redis-follower 2
vip=$(k -n $ns get svc guestbook-web -o 'jsonpath={.spec.clusterIP}')
port=$(k -n $ns get svc guestbook-web -o 'jsonpath={.spec.ports[0].port}')
url="http://$vip:$port"
eventually 30 "the guestbook answers at its service address" curl -fsS -m 2 "$url/"
check "logs reach kubectl" bash -c "$KUBECTL -n $ns logs deploy/guestbook-web --tail=5"

: >"$WORK/lost"; : >"$WORK/asking"
(n=0; while [ -e "$WORK/asking" ]; do curl -fsS -m 3 "$url/" >/dev/null 2>>"$WORK/curl.err" || echo lost >>"$WORK/lost"; n=$((n + 1)); echo $n >"$WORK/asked"; done) &
loop=$!
cp "$SOURCE"/examples/repos/guestbook/v2/* "$WORK/clone/manifests/"
commit "guestbook v2"
second=$(git -C "$WORK/clone" rev-parse HEAD)
noted() { git -C "$WORK/repo.git" log -1 --notes=steersman --format=%N "$1" | grep -qi "$2"; }
eventually 60 "the second commit is noted as healthy" noted "$second" healthy
eventually 60 "the rollout reaches v2" outputs "successfully rolled out" k -n $ns rollout status deploy/guestbook-web --timeout=60s
eventually 60 "every pod is v2" bash -c "! $KUBECTL -n $ns get pods -l app=guestbook-web -o yaml | grep -q 'image: .*web:v1'"
sleep 2
rm -f "$WORK/asking"; wait $loop; lost=$(wc -l <"$WORK/lost")
check "the client loop lost no request ($(cat "$WORK/asked") asked, $lost lost)" test "$lost" = 0
eventually 20 "the guestbook shows v2" outputs "v2" curl -fsS -m 2 "$url/"

pid=$(pgrep -f "redis-server" -n || true)
check "links, namespaces and tables bear the cluster's tag" test "$(tagged)" -ge 4
murder
check "containers outlive the server and its nodes" curl -fsS -m 3 "$url/"
start --nodes 2 --runtime cri --images "$WORK/images" --repo "$WORK/repo.git" --branch main --path manifests --listen 127.0.0.1:0
eventually 30 "the guestbook still answers" curl -fsS -m 2 "$url/"
check "the same containers were adopted" bash -c "[ -z '$pid' ] || kill -0 $pid"
check "no pod was restarted" bash -c "[ -z \"\$($KUBECTL -n $ns get pods -o 'jsonpath={.items[*].status.containerStatuses[*].restartCount}' | tr -d '0 ')\" ]"
if stop; then say "ok: Ctrl-C stops it cleanly"; else fail "Ctrl-C ends with an error"; fi
check "no link, namespace or table is left behind" test "$(tagged)" = 0
nobody_left() { ! ps -eo args | grep -F "$D" | grep -vE '^(grep|bash|/bin/bash)'; }
check "no process is left behind" nobody_left
finish
