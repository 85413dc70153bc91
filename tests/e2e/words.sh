#!/usr/bin/env bash
# What the command line says in unusual places: unknown commands, clones that hold not everything, a source that is gone.
. "$(dirname "$0")/lib.sh"
map() { printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n' "$1"; }
git init -q --bare -b main "$WORK/fleet.git"; git init -q -b main "$WORK/w"; mkdir -p "$WORK/w/m/deep"
map one >"$WORK/w/m/one.yaml"; git -C "$WORK/w" add -A; git -C "$WORK/w" commit -qm one
map two >"$WORK/w/m/deep/two.yaml"; git -C "$WORK/w" add -A; git -C "$WORK/w" commit -qm two
git -C "$WORK/w" push -q "$WORK/fleet.git" main
git -C "$WORK/fleet.git" config uploadpack.allowFilter true
cd "$WORK" || exit 1

check "an unknown command names its nearest" outputs "there is no command aply; did you mean apply?" "$STEER" aply
check "and ends badly" exits 1 "$STEER" plna
check "where none is near the help is named" outputs "steer --help lists them" "$STEER" frobnicate

start --nodes 1 --runtime sim --listen 127.0.0.1:0 --repo "$WORK/fleet.git" --branch main --path m --interval 1
eventually 30 "the source is applied" outputs "root  Synced" "$STEER" status

git clone -q --depth 1 "file://$WORK/fleet.git" shallow
git clone -q --filter=blob:none --no-checkout "file://$WORK/fleet.git" partial
git clone -q --filter=tree:0 --no-checkout "file://$WORK/fleet.git" treeless
for clone in shallow partial treeless w; do
  check "a plan of a clone that is $clone" exits 0 "$STEER" plan --repo "$clone" --rev HEAD --path m --application root --detailed-exitcode
done
if git init -q --object-format=sha256 -b main names 2>/dev/null; then
  cp -r w/m names/; git -C names add -A; git -C names commit -qm one
  check "a plan of a repository of SHA-256 names" exits 0 "$STEER" plan --repo names --path m --application root --detailed-exitcode
fi
check "a plan from inside a clone" bash -c "cd w/m && '$STEER' plan . --application root --detailed-exitcode"

mv fleet.git away.git
eventually 30 "the headline says that the source is gone" outputs "its source cannot be read (since" "$STEER" status
check "and still what is applied" outputs "root  Synced" "$STEER" status
mv away.git fleet.git
eventually 60 "and nothing of it when it is back" bash -c "! '$STEER' status | head -1 | grep -q 'cannot be read'"
finish
