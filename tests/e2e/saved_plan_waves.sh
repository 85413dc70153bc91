#!/usr/bin/env bash
# A saved plan is looked at again between its steps; an application waits for those it depends on.
. "$(dirname "$0")/lib.sh"
[ -x "$KUBECTL" ] || skip "no kubectl"
command -v git >/dev/null || skip "git is not installed"
k() { "$KUBECTL" "$@"; }
src=$WORK/fleet plan=$WORK/plan
mkdir -p "$src/waves" "$src/root" "$src/apps/db" "$src/apps/web"
deployment() { # NAME NAMESPACE WAVE START-DELAY IMAGE
  cat <<Y
apiVersion: apps/v1
kind: Deployment
metadata: {name: $1, namespace: $2, annotations: {steersman.dev/wave: "$3"}}
spec:
  replicas: 1
  selector: {matchLabels: {app: $1}}
  template:
    metadata: {labels: {app: $1}, annotations: {simulator.steersman.dev/start-delay: "$4"}}
    spec: {containers: [{name: c, image: "$5"}]}
Y
}
{ printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n'; deployment first shop 0 0s web:1; echo ---; deployment second shop 1 0s web:1; } >"$src/waves/all.yaml"
start --nodes 1 --runtime sim --listen 127.0.0.1:0
check "the first state is applied and healthy" exits 0 "$STEER" apply "$src/waves" --yes --wait
{ printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n'; deployment first shop 0 6s web:2; echo ---; deployment second shop 1 0s web:2; } >"$src/waves/all.yaml"
check "a change of two waves is saved" exits 0 "$STEER" plan "$src/waves" --out "$plan"
k -n shop scale deploy second --replicas=3 >/dev/null
check "a value of the last step that moved refuses all of it" outputs "Deployment shop/second: spec.replicas was 1, is 3" "$STEER" apply "$plan"
check "before the first step" outputs web:1 k -n shop get deploy first -o "jsonpath={..image}"
k -n shop scale deploy second --replicas=1 >/dev/null
check "a change of two waves is saved again" exits 0 "$STEER" plan "$src/waves" --out "$plan"
"$STEER" apply "$plan" >"$WORK/apply.out" 2>"$WORK/apply.err" & applying=$!
eventually 20 "the first wave is applied" outputs web:2 k -n shop get deploy first -o "jsonpath={..image}"
k -n shop scale deploy second --replicas=4 >/dev/null
wait "$applying"; code=$?
check "what moved while the first wave was waited for stops the rest: exit code 1" test "$code" = 1
check "and is named" outputs "Deployment shop/second: spec.replicas was 1, is 4" cat "$WORK/apply.err"
check "what landed is told" bash -c "grep -A1 '^.*applied, and stays:' '$WORK/apply.err' | grep -qF 'wave 0: workloads (1 of 1 change)'"
check "and what did not" bash -c "grep -A1 '^.*not applied:' '$WORK/apply.err' | grep -qF 'wave 1: workloads (1 of 1 change)'"
check "and what to run" outputs "steer plan $src/waves --out PLAN && steer apply PLAN" cat "$WORK/apply.err"
check "the second wave was not applied" outputs web:1 k -n shop get deploy second -o "jsonpath={..image}"
k delete ns shop >/dev/null

application() { printf 'apiVersion: steersman.dev/v1\nkind: Application\nmetadata: {name: %s, namespace: steersman-system}\nspec: {suspend: true, source: {url: "https://example.org/fleet.git", path: apps/%s}%s}\n' "$1" "$1" "$2"; }
printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: store}\n' >"$src/root/ns.yaml"
application db '' >"$src/root/db.yaml"; application web ', dependsOn: [{name: db}]' >"$src/root/web.yaml"
deployment db store 0 4s db:1 >"$src/apps/db/db.yaml"; deployment web store 0 0s web:1 >"$src/apps/web/web.yaml"
git init -q "$src"; git -C "$src" remote add origin https://example.org/fleet.git
k create namespace steersman-system >/dev/null 2>&1
check "the plan says who waits for whom" outputs "application web after db" "$STEER" plan "$src/root" --application fleet
"$STEER" apply "$src/root" --application fleet --yes >"$WORK/apply.out" 2>"$WORK/apply.err" & applying=$!
eventually 20 "the database is made" k -n store get deploy db
check "the web application waits for it" bash -c "! $KUBECTL -n store get deploy web"
wait "$applying"; code=$?
check "everything is applied in the end" test "$code" = 0
check "after the database was available" outputs 1 k -n store get deploy db -o "jsonpath={.status.availableReplicas}"
check "the web application is there" k -n store get deploy web
finish
