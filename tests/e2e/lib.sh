# Shared by the end-to-end tests: a scratch folder, a real `steer up`, and checks that say what failed.
# Usage: . "$(dirname "$0")/lib.sh"; then start, eventually, check, finish.
set -uo pipefail
STEER=${STEER:?path of the steer binary}
KUBECTL=${KUBECTL:-}
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
WORK=$(mktemp -d /tmp/steer-e2e.XXXXXX)
D=$WORK/data
FAILED=0
UP_PID=
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=Tester GIT_AUTHOR_EMAIL=tester@example.org GIT_COMMITTER_NAME=Tester
export GIT_COMMITTER_EMAIL=tester@example.org
export KUBECONFIG=$D/kubeconfig

say() { printf '%s  %s\n' "$(date +%T)" "$*"; }
fail() { FAILED=1; printf 'FAILED: %s\n' "$*"; }
skip() { echo "SKIPPED: $*"; rm -rf "$WORK"; exit 77; }

# check "sentence" command…: the command must succeed.
check() {
  local what=$1; shift
  if out=$("$@" 2>&1); then say "ok: $what"; else fail "$what"; printf '%s\n' "$out" | tail -n 20; fi
}
# eventually SECONDS "sentence" command…: the command must succeed within that time.
eventually() {
  local limit=$1 what=$2 start=$SECONDS; shift 2
  while ! out=$("$@" 2>&1); do
    if [ $((SECONDS - start)) -ge "$limit" ]; then
      fail "$what (waited ${limit}s)"; printf '%s\n' "$out" | tail -n 20; return 1
    fi
    sleep 0.2
  done
  say "ok: $what ($((SECONDS - start))s)"
}
contains() { grep -qF -- "$1" <<<"$2"; }
# outputs TEXT command…: the command's output contains the text.
outputs() { local text=$1; shift; local all; all=$("$@" 2>&1); grep -qF -- "$text" <<<"$all" || { printf '%s\n' "$all"; return 1; }; }
exits() { local want=$1; shift; "$@"; local rc=$?; [ $rc = "$want" ] || { echo "exit code $rc, expected $want"; return 1; }; }

# start ARGS…: `steer up` in the background; returns when it prints its ready line.
start() {
  "$STEER" up --data-dir "$D" "$@" >"$WORK/up.out" 2>>"$WORK/up.err" &
  UP_PID=$!
  local begin=$SECONDS
  until grep -q '^ready' "$WORK/up.out"; do
    if ! kill -0 "$UP_PID" 2>/dev/null || [ $((SECONDS - begin)) -ge 90 ]; then
      fail "steer up did not become ready"; tail -n 30 "$WORK/up.out" "$WORK/up.err"; finish
    fi
    sleep 0.1
  done
  say "$(grep '^ready' "$WORK/up.out" | head -1) ($((SECONDS - begin))s)"
}
stop() { [ -n "$UP_PID" ] && kill -INT "$UP_PID" 2>/dev/null && wait "$UP_PID"; local rc=$?; UP_PID=; return $rc; }
murder() { kill -9 "$UP_PID"; wait "$UP_PID" 2>/dev/null; UP_PID=; }

# A bare repository with the guestbook pushed to main; the work clone is $WORK/clone.
make_repo() {
  git init -q --bare -b main "$WORK/repo.git"
  git init -q -b main "$WORK/clone"
  cp -r "$SOURCE/examples/repos/guestbook/." "$WORK/clone/"
  git -C "$WORK/clone" remote add origin "$WORK/repo.git"
  commit "guestbook v1"
}
commit() { (cd "$WORK/clone" && git add -A && git commit -q -m "$1" && git push -q origin HEAD:main); }

finish() {
  [ -n "$UP_PID" ] && { kill -INT "$UP_PID" 2>/dev/null; for _ in $(seq 150); do kill -0 "$UP_PID" 2>/dev/null || break; sleep 0.2; done; kill -9 "$UP_PID" 2>/dev/null; }
  if [ "$FAILED" != 0 ]; then echo "--- last log lines"; tail -n 40 "$WORK/up.err" 2>/dev/null; echo "kept: $WORK"; else rm -rf "$WORK"; fi
  exit "$FAILED"
}
trap 'fail "interrupted"; finish' INT TERM
