#!/usr/bin/env bash
# Two applications, the second after the first; a mass deletion that is refused until someone says yes; and a
# rollback. The real binary on simulated nodes.
. "$(dirname "$0")/lib.sh"
command -v git >/dev/null || skip "git is not installed"
[ -x "$KUBECTL" ] || skip "no kubectl"
k() { "$KUBECTL" "$@"; }
app() { k -n steersman-system get application "$1" -o "jsonpath={.status.$2}"; }
is() { local want=$1; shift; [ "$("$@")" = "$want" ] || { echo "$("$@"), expected $want"; return 1; }; }
maps() { k -n shop get configmaps -l steersman.dev/application=base -o name | wc -l; }
tip() { git -C "$WORK/clone" rev-parse HEAD; }

git init -q --bare -b main "$WORK/repo.git"
git init -q -b main "$WORK/clone"
git -C "$WORK/clone" remote add origin "$WORK/repo.git"
cd "$WORK/clone" && mkdir -p fleet base web
application() {
  printf 'apiVersion: steersman.dev/v1\nkind: Application\nmetadata: {name: %s, namespace: steersman-system}\nspec:\n  source: {url: "%s", branch: main, path: %s}\n%s' \
    "$1" "$WORK/repo.git" "$1" "$2" >"fleet/$1.yaml"
}
printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: steersman-system}\n' >fleet/ns.yaml
application base ''
application web $'  dependsOn: [{name: base}]\n'
printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n' >base/ns.yaml
for i in 1 2 3 4 5 6 7 8 9 10; do
  printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m%s, namespace: shop}\ndata: {k: "1"}\n' $i >base/m$i.yaml
done
web() {
  printf 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  replicas: 2\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: c, image: "web:%s"}]}\n' "$1" >web/web.yaml
}
web v1
commit "Two applications"
first=$(tip)

start --nodes 2 --runtime sim --repo "$WORK/repo.git" --branch main --path fleet --listen 127.0.0.1:0
eventually 60 "the first application is synced" is Synced app base phase
eventually 60 "the second application is synced after it" is Synced app web phase
check "its pods run" k -n shop wait deploy/web --for=condition=Available --timeout=60s
eventually 30 "the root application is synced, too" is Synced app root phase

git rm -qr base/m1.yaml base/m2.yaml base/m3.yaml base/m4.yaml base/m5.yaml base/m6.yaml base/m7.yaml base/m8.yaml
commit "Clean up"
second=$(tip)
eventually 30 "a mass deletion waits for a confirmation" is NeedsConfirmation app base phase
check "nothing is deleted meanwhile" is 10 maps
check "status shows what would be deleted" outputs "would delete ConfigMap shop/m1" "$STEER" status
check "an approval of another commit is refused" exits 1 "$STEER" approve "${first:0:10}"
check "nothing was deleted by that" is 10 maps
check "the second application waits for the first" outputs "waiting for application base" "$STEER" status web
check "the commit is approved" outputs "approved by" "$STEER" approve "${second:0:10}" --application base
eventually 30 "then it is deleted" is 2 maps
eventually 30 "and all is synced" is Synced app base phase
check "who approved is in the record" bash -c "git -C '$WORK/repo.git' grep -q 'steer approve, by' steersman/status -- records/"

eventually 30 "the second application is synced again" is Synced app web phase
web v2
commit "web v2"
third=$(tip)
eventually 60 "the rollout is healthy" bash -c "git -C '$WORK/repo.git' log -1 --notes=steersman --format=%N $third | grep -q 'web: healthy'"
check "a rollback is asked for" outputs "is on the branch" "$STEER" rollback web --to "${second:0:8}"
eventually 60 "the front end runs v1 again" outputs "web:v1" k -n shop get deploy web -o yaml
check "history was not rewritten" bash -c "[ \$(git -C '$WORK/repo.git' rev-parse main~1) = $third ]"
check "the revert says where it came from" bash -c "git -C '$WORK/repo.git' log -1 --format=%B main | grep -q 'Steersman-Rollback-Of: $third'"
eventually 60 "all is synced" is Synced app web phase

uid() { k -n shop get deploy web -o 'jsonpath={.metadata.uid}'; }
before=$(uid)
k -n steersman-system delete application web --wait=false >/dev/null
made_anew() { local now; now=$(uid) && [ -n "$now" ] && [ "$now" != "$before" ]; }
eventually 30 "a deleted application takes its objects along, and comes back from Git with new ones" made_anew
eventually 30 "and is synced" is Synced app web phase
if stop; then say "ok: Ctrl-C stops it cleanly"; else fail "Ctrl-C ends with an error"; fi
finish
