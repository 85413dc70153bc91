# Shared by the tests that hold a forecast against what then happens. After lib.sh, with KUBECTL.
# foretell COMMIT-MESSAGE: commits what changed in $WORK/clone, asks for the forecast of that very commit, pushes it,
# waits until it is noted as healthy, and compares. PLAN_PATH: the directory in the repository.
noted() { git -C "$WORK/repo.git" log -1 --notes=steersman --format=%N "$1" | grep -qi -- "$2"; }
watching() { [ "$(grep -c '"type": *"ADDED"' "$WORK/watch")" -ge "$1" ]; }
settled() { # nothing is on its way any more
  local now; now=$("$KUBECTL" get pods -A -o json)
  ! grep -q deletionTimestamp <<<"$now"
}
# Which of several old pods goes first hangs on how long they have been ready, by powers of two of seconds: a forecast
# holds as long as no two of them pass such a mark between it and the change. This waits for such a time.
AGES='import json, math, sys, time, datetime
groups = {}
for pod in json.load(sys.stdin)["items"]:
    for c in pod.get("status", {}).get("conditions", []):
        if c["type"] == "Ready" and c["status"] == "True":
            since = datetime.datetime.fromisoformat(c["lastTransitionTime"].replace("Z", "+00:00")).timestamp()
            key = (pod["metadata"]["namespace"], pod["metadata"].get("labels", {}).get("pod-template-hash"))
            groups.setdefault(key, set()).add(since)
now = time.time()
bucket = lambda age: int(age).bit_length()
sys.exit(any(len({bucket(now + ahead - since) for since in ages}) > 1
             for ages in groups.values() for ahead in range(int(sys.argv[1]))))'
ages_settled() { "$KUBECTL" get pods -A -o json | python3 -c "$AGES" "${ROLLOUT_SECONDS:-6}"; }
foretell() {
  local message=$1 commit watcher count
  shift
  (cd "$WORK/clone" && git add -A && git commit -q -m "$message")
  commit=$(git -C "$WORK/clone" rev-parse HEAD)
  eventually 30 "the cluster is at rest" settled
  eventually 60 "no two pods are about to change in rank" ages_settled
  "$KUBECTL" get pods -A -o json >"$WORK/before.json"
  count=$(grep -c '"kind": "Pod"' "$WORK/before.json")
  : >"$WORK/watch"
  "$KUBECTL" get pods -A -w --output-watch-events -o json >"$WORK/watch" 2>>"$WORK/watch.err" &
  watcher=$!
  eventually 10 "the watch has begun" watching "$count"
  "$STEER" plan --repo "$WORK/clone" --rev HEAD --path "${PLAN_PATH:-.}" --simulate -o json "$@" >"$WORK/forecast.json" 2>"$WORK/plan.err"
  (cd "$WORK/clone" && git push -q origin HEAD:main)
  eventually 180 "the commit \"$message\" is healthy" noted "$commit" healthy
  eventually 60 "what was to go is gone" settled
  sleep 0.5
  kill "$watcher" 2>/dev/null; wait "$watcher" 2>/dev/null
  if python3 "$SOURCE/tests/e2e/forecast_check.py" "$WORK/forecast.json" "$WORK/watch" "$WORK/before.json" >"$WORK/compared" 2>&1; then
    say "ok: \"$message\": order of events and placements are as foretold ($(grep -c ' pod ' "$WORK/compared") events)"
  else
    fail "\"$message\": what happened is not what was foretold"; cat "$WORK/compared" "$WORK/plan.err"
  fi
  cp "$WORK/compared" "$WORK/compared.last"
}
