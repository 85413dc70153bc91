#!/usr/bin/env bash
# Parts of a plan, its formats, drift, and the end of everything. The real binary, against simulated nodes.
. "$(dirname "$0")/lib.sh"
[ -x "$KUBECTL" ] || skip "no kubectl"
k() { "$KUBECTL" "$@"; }
plan() { "$STEER" plan "$@"; }
src=$WORK/src
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
kind: ConfigMap
metadata: {name: fixed, namespace: shop}
immutable: true
data: {colour: red}
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
check "everything is applied" exits 0 "$STEER" apply "$src" --yes
check "nothing is left to do: exit code 0" exits 0 "$STEER" plan "$src" --detailed-exitcode
check "nobody changed anything: exit code 0" exits 0 "$STEER" plan "$src" --refresh-only --detailed-exitcode

sed -i 's/red/<b>blue/; s/web:1/web:2/' "$src/shop.yaml"
check "the field that forces a replacement is named" outputs "-/+ ConfigMap fixed  # must be replaced: data cannot change" plan "$src"
check "what stays is folded" outputs "1 unchanged" plan "$src"
check "Markdown folds each object" outputs "<details><summary><code>~ Deployment web</code>" plan "$src" -o markdown
check "HTML is a page of its own" outputs "<!doctype html>" plan "$src" -o html
check "values are escaped in HTML" outputs '&lt;b&gt;blue' plan "$src" -o html
check "YAML holds the digest" outputs "digest:" plan "$src" -o yaml
check "a target plans that alone" outputs "Plan: 0 to create, 1 to update, 0 to replace, 0 to delete." plan "$src" --target 'deploy/*'
check "excluding all changes leaves nothing: exit code 0" exits 0 "$STEER" plan "$src" --exclude 'cm/*' --exclude deploy/shop/web --detailed-exitcode
check "a target that names nothing is an error" exits 1 "$STEER" plan "$src" --target deploy/wbe
check "a target of an unknown kind is an error" exits 1 "$STEER" plan "$src" --target deplyoment/web
check "a target is applied alone" exits 0 "$STEER" apply "$src" --target cm/settings --yes
check "the rest is as it was" outputs "web:1" k -n shop get deploy web -o "jsonpath={..image}"
check "the rest is applied" exits 0 "$STEER" apply "$src" --yes

repo=$WORK/repo
git init -q -b main "$repo"
git -C "$repo" config user.name Ada
git -C "$repo" config user.email ada@example.org
cp "$src/shop.yaml" "$repo/"
python3 - "$repo/shop.yaml" <<'P'
import sys
docs = open(sys.argv[1]).read().split("---\n")
open(sys.argv[1], "w").write("---\n".join(docs[1:]))
P
git -C "$repo" add -A
git -C "$repo" commit -qm "The namespace goes"
check "a commit that deletes a namespace needs a yes" outputs "! needs confirmation: " plan --application cli_default --repo "$repo"
trailer=$(plan --application cli_default --repo "$repo" | grep -o 'Steersman-Confirm-Delete: [0-9a-f]*' | head -1)
git -C "$repo" commit -q --amend -m "The namespace goes" -m "$trailer"
check "with the trailer that the plan named it is confirmed" outputs "confirmed by the commit's trailer: " plan --application cli_default --repo "$repo"
check "and asks for nothing" bash -c "! '$STEER' plan --application cli_default --repo '$repo' | grep -q 'needs confirmation'"
check "and in JSON" outputs '"trailerMatches": true' plan --application cli_default --repo "$repo" -o json
git -C "$repo" commit -q --amend -m "The namespace goes" -m "Steersman-Confirm-Delete: 0123456789abcdef"
check "a trailer for something else is told" outputs "the commit's trailer names other deletions" plan --application cli_default --repo "$repo"

k -n shop scale deploy web --replicas=5 >/dev/null
k -n shop annotate configmap settings note=mine >/dev/null
k -n shop delete configmap fixed >/dev/null
check "drift is found: exit code 2" exits 2 "$STEER" plan "$src" --refresh-only --detailed-exitcode
drift=$(plan "$src" --refresh-only)
for part in "spec.replicas: 2 → 5" "spec.replicas was changed by kubectl" "metadata.annotations.note was set by kubectl-annotate" \
  "ConfigMap fixed  # is not in the cluster" "3 objects were changed by others"; do
  check "drift says: $part" grep -qF -- "$part" <<<"$drift"
done
check "conflicts are refused on request: exit code 1" exits 1 "$STEER" plan "$src" --no-force --target deploy/web
check "and named" outputs "spec.replicas is held by kubectl" plan "$src" --no-force

cd "$WORK" || exit 1  # outside every repository
check "a plan says what a push would have to wait for" outputs "! needs confirmation: " plan --destroy
check "and in JSON" outputs '"needsConfirmation": true' plan --destroy -o json
check "destroying shows deletions: exit code 2" exits 2 "$STEER" plan --destroy --detailed-exitcode
check "without a terminal it needs --yes" exits 1 "$STEER" apply --destroy </dev/null
check "nothing was deleted by that" k -n shop get deploy web
check "with it everything goes" exits 0 "$STEER" apply --destroy --yes
eventually 30 "the namespace is gone" bash -c "! $KUBECTL get ns shop"
check "nothing is left: exit code 0" exits 0 "$STEER" plan --destroy --detailed-exitcode
finish
