#!/usr/bin/env bash
# A command line beside a cluster that follows a repository: neither deletes what the other applied.
. "$(dirname "$0")/lib.sh"
[ -x "$KUBECTL" ] || skip "no kubectl"
k() { "$KUBECTL" "$@"; }
git init -q --bare -b main "$WORK/fleet.git"; git init -q -b main "$WORK/w"; mkdir "$WORK/w/m" "$WORK/one"
printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: shop}\n' >"$WORK/w/m/a.yaml"
git -C "$WORK/w" add -A; git -C "$WORK/w" commit -qm one; git -C "$WORK/w" push -q "$WORK/fleet.git" main
map() { printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: %s}\ndata: {k: "%s"}\n' "$1" "$2" "${3:-}"; }
map mine default >"$WORK/one/m.yaml"
start --nodes 1 --runtime sim --listen 127.0.0.1:0 --repo "$WORK/fleet.git" --branch main --path m
cd "$WORK" || exit 1
eventually 30 "the repository is applied" k -n shop get cm b
check "people put something beside it" k -n shop create configmap by-hand --from-literal=precious=data
check "a directory is applied by hand" exits 0 "$STEER" apply one -y
check "and nothing else is lost" k -n shop get cm by-hand a b
check "its inventory is one of its own" outputs cli_default k get cm mine -o "jsonpath={.metadata.labels.steersman\.dev/application}"
check "a clone is planned as what is followed" exits 0 "$STEER" plan w/m --detailed-exitcode
check "so is the repository itself" exits 0 "$STEER" plan --repo fleet.git --path m --detailed-exitcode
check "asking for the followed application by name does not delete" exits 1 "$STEER" apply one --application root -y
check "and says why" outputs "application root follows" "$STEER" apply one --application root -y
check "destroying it is refused, too" exits 1 "$STEER" apply --destroy --application root -y
map a shop stolen >"$WORK/one/a.yaml"
check "what is followed is not taken over" outputs "would be taken from it" "$STEER" apply one -y
check "nothing was" k -n shop get cm by-hand a b
rm "$WORK/one/a.yaml"
for i in 1 2 3 4 5 6 7; do map "many-$i" default >"$WORK/one/$i.yaml"; done
check "seven more by hand" exits 0 "$STEER" apply one -y
rm "$WORK"/one/[1-7].yaml
check "--yes does not override the budget that the plan announced" exits 1 "$STEER" apply one -y
check "without a terminal nobody agreed either" exits 1 "$STEER" apply one </dev/null
check "nothing was deleted" k get cm many-1 many-7
digest=$("$STEER" apply one -y 2>&1 | grep -o -- '--confirm-delete [0-9a-f]*')
# shellcheck disable=SC2086
check "naming the deletions confirms them" exits 0 "$STEER" apply one -y $digest
check "they are gone" bash -c "! $KUBECTL get cm many-1"
check "the repository's own objects are as they were" k -n shop get cm by-hand a b
finish
