#!/usr/bin/env bash
# Applications inside a source are planned and applied together; what moves between them is never deleted.
. "$(dirname "$0")/lib.sh"
[ -x "$KUBECTL" ] || skip "no kubectl"
k() { "$KUBECTL" "$@"; }
plan() { timeout 30 "$STEER" plan --application fleet "$@"; }
src=$WORK/fleet
mkdir -p "$src/root" "$src/apps/front" "$src/apps/back"
application() { # NAME PATH MORE…
  printf 'apiVersion: steersman.dev/v1\nkind: Application\nmetadata: {name: %s, namespace: steersman-system}\nspec:\n  suspend: true\n  source: {url: "https://example.org/fleet.git", path: %s}\n' "$1" "$2"
  shift 2; printf '  %s\n' "$@"
}
configmap() { printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: shop}\ndata: {k: "%s"}\n' "$1" "$2"; }
printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n' >"$src/root/ns.yaml"
application front apps/front 'dependsOn: [{name: back}]' >"$src/root/front.yaml"
application back apps/back >"$src/root/back.yaml"
configmap page 1 >"$src/apps/front/page.yaml"
configmap moving 1 >"$src/apps/front/moving.yaml"
configmap queue 1 >"$src/apps/back/queue.yaml"
git init -q -b main "$src"; git -C "$src" remote add origin https://example.org/fleet
git -C "$src" add -A; git -C "$src" commit -qm one
start --nodes 1 --runtime sim --listen 127.0.0.1:0
k create namespace steersman-system >/dev/null 2>&1

first=$(plan "$src/root"); check "the source is planned with what it declares" contains "application front" "$first"
check "objects of a namespace that the root declares are creations" contains "Plan: 6 to create" "$first"
check "what others depend on comes first" bash -c "[ \$(grep -n 'application back' <<<'$first' | cut -d: -f1) -lt \$(grep -n 'application front' <<<'$first' | cut -d: -f1) ]"
check "all of it is saved" exits 0 plan "$src/root" --out "$WORK/p"
check "and applied" exits 0 "$STEER" apply "$WORK/p"
check "each object belongs to its application" outputs front k -n shop get configmap page -o "jsonpath={.metadata.labels.steersman\.dev/application}"
check "planning after applying is empty" exits 0 plan "$src/root" --detailed-exitcode

uid=$(k -n shop get configmap moving -o "jsonpath={.metadata.uid}")
mv "$src/apps/front/moving.yaml" "$src/apps/back/other-name.yaml"
check "a move is an update" outputs "~ ConfigMap moving  # moves here from application front" plan "$src/root"
check "and never a deletion" outputs "Plan: 0 to create, 1 to update, 0 to replace, 0 to delete." plan "$src/root"
check "the move is applied" exits 0 "$STEER" apply --application fleet "$src/root" --yes
check "it is the same object" outputs "$uid" k -n shop get configmap moving -o "jsonpath={.metadata.uid}"
check "of its new application" outputs back k -n shop get configmap moving -o "jsonpath={.metadata.labels.steersman\.dev/application}"
check "and nothing is left to do" exits 0 plan "$src/root" --detailed-exitcode

git -C "$src" add -A; git -C "$src" commit -qm two
check "the same of a commit" exits 0 plan --repo "$src" --rev main --path root --detailed-exitcode

application back apps/back 'dependsOn: [{name: front}]' >"$src/root/back.yaml"
check "a circle is an error" exits 1 plan "$src/root"
check "that names its members and its place" outputs "applications wait for each other: back -> front -> back" plan "$src/root"
application back root >"$src/root/back.yaml"
check "an application that reads what declares it is an error, and no hang" outputs "is declared by application fleet and by application back" plan "$src/root"
application back apps/gone >"$src/root/back.yaml"
check "a path that is not there is a finding with file and line" outputs "back.yaml" plan "$src/root"
application back apps/back >"$src/root/back.yaml"
application far apps/far 'prune: false' >"$src/root/far.yaml"; sed -i 's#fleet.git#other.git#' "$src/root/far.yaml"
check "an application of elsewhere is said to be left out" outputs "application far reads another repository" plan "$src/root"
rm "$src/root/far.yaml"

sed -i 's/data: {k: "1"}/data: {k: 1}/' "$src/apps/back/queue.yaml"; sed -i 's/"1"/"2"/' "$src/apps/front/page.yaml"
check "a wrong manifest is an error" exits 1 plan "$src/root"
check "named with its place" outputs "apps/back/queue.yaml:4" plan "$src/root"
check "what would happen to the rest is shown" outputs "~ ConfigMap page" plan "$src/root"
check "and nothing is deleted for it" outputs "Plan: 0 to create, 1 to update, 0 to replace, 0 to delete." plan "$src/root"
check "reviewers of the page see it, too" outputs "<li>⚠ <code>" plan "$src/root" -o markdown
check "such a source is not applied by hand" exits 1 "$STEER" apply --application fleet "$src/root" --yes
sed -i 's/k: 1/k: "1"/' "$src/apps/back/queue.yaml"; sed -i 's/"2"/"1"/' "$src/apps/front/page.yaml"

rm "$src/root/front.yaml"; k -n steersman-system patch application front --type merge -p '{"metadata":{"finalizers":["steersman.dev/objects"]}}' >/dev/null
check "an application that is declared no more takes what it owns along" outputs "ConfigMap page" plan "$src/root"
check "and says so" outputs "application front goes, and with it what it owns" plan "$src/root"
application front apps/front 'dependsOn: [{name: back}]' >"$src/root/front.yaml"

check "destroying takes them all: exit code 0" exits 0 "$STEER" apply --application fleet --destroy --yes
eventually 30 "the namespace is gone" bash -c "! $KUBECTL get ns shop"
finish
