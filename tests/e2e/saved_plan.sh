#!/usr/bin/env bash
# A saved plan: exactly that is applied, or nothing, with the reason. The real binary, against simulated nodes.
. "$(dirname "$0")/lib.sh"
[ -x "$KUBECTL" ] || skip "no kubectl"
k() { "$KUBECTL" "$@"; }
src=$WORK/src plan=$WORK/shop.plan
mkdir "$src"
cat >"$src/shop.yaml" <<'Y'
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {colour: red}
---
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: shop}
stringData: {password: correct-horse}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "web:1"}]}
Y
start --nodes 1 --runtime sim --listen 127.0.0.1:0

check "a plan is saved" exits 0 "$STEER" plan "$src" --out "$plan"
check "only its owner can read it" bash -c "[ \$(stat -c %a $plan) = 600 ]"
check "no secret is in it" bash -c "! grep -e correct-horse -e $(printf correct-horse | base64) $plan"
check "nothing was applied by planning" bash -c "! $KUBECTL get ns shop"
check "it is applied without a terminal and without a question" exits 0 "$STEER" apply "$plan" </dev/null
check "the deployment is there" k -n shop get deploy web
check "applied again it is refused, since the objects exist" exits 1 "$STEER" apply "$plan"
check "and says so" outputs "Deployment shop/web: did not exist, exists now" "$STEER" apply "$plan"

sed -i 's/web:1/web:2/' "$src/shop.yaml"
check "a change is saved; there are changes: exit code 2" exits 2 "$STEER" plan "$src" --out "$plan" --detailed-exitcode
k -n shop scale deploy web --replicas=5 >/dev/null
check "a moved field refuses the plan" exits 1 "$STEER" apply "$plan"
check "the field is named" outputs "Deployment shop/web: spec.replicas was 2, is 5" "$STEER" apply "$plan"
check "nothing was changed" outputs "web:1" k -n shop get deploy web -o "jsonpath={..image}"
k -n shop scale deploy web --replicas=2 >/dev/null
k -n shop create configmap unrelated >/dev/null
k -n shop annotate configmap settings note=elsewhere >/dev/null
check "unrelated changes do not make it stale" exits 0 "$STEER" apply "$plan"
check "the change is there" outputs "web:2" k -n shop get deploy web -o "jsonpath={..image}"

sed -i 's/red/blue/' "$src/shop.yaml"
check "another change is saved" exits 0 "$STEER" plan "$src" --out "$plan"
sed -i 's/blue/green/' "$src/shop.yaml"
check "a source that moved refuses the plan" outputs "ConfigMap shop/settings was changed" "$STEER" apply "$plan"
sed -i 's/"blue"/"pink"/' "$plan"
check "an edited plan is refused" outputs "damaged or edited" "$STEER" apply "$plan"

check "a saved plan takes no targets" exits 1 "$STEER" apply "$plan" --target deploy/web

git init -q -b main "$WORK/repo"; cp "$src/shop.yaml" "$WORK/repo/"
git -C "$WORK/repo" add -A; git -C "$WORK/repo" commit -qm one
check "a plan of a commit is saved" exits 0 "$STEER" plan --repo "$WORK/repo" --rev main --out "$plan"
sed -i 's/green/black/' "$WORK/repo/shop.yaml"; git -C "$WORK/repo" commit -qam two
check "and applies that commit, although the branch went on" exits 0 "$STEER" apply "$plan"
check "with its value" outputs green k -n shop get configmap settings -o "jsonpath={.data.colour}"
finish
