#!/usr/bin/env bash
# Jobs and hooks on simulated nodes: what kubectl does with jobs, a migration before a rollout, waves, and a wrong
# manifest beside right ones.
. "$(dirname "$0")/lib.sh"
command -v git >/dev/null || skip "git is not installed"
[ -x "$KUBECTL" ] || skip "no kubectl"
k() { "$KUBECTL" "$@"; }
git init -q --bare -b main "$WORK/repo.git"; git init -q -b main "$WORK/clone"
git -C "$WORK/clone" remote add origin "$WORK/repo.git"
noted() { git -C "$WORK/repo.git" log -1 --notes=steersman --format=%N "$1" | grep -qi -- "$2"; }
head_of() { git -C "$WORK/clone" rev-parse HEAD; }
put() { cat >"$WORK/clone/$1"; }
settings() { printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata: {version: "%s"}\n' "$1" | put settings.yaml; }
migration() { # $1: exit code, $2: seconds
  cat <<EOF | put migrate.yaml
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  namespace: shop
  annotations: {steersman.dev/hook: pre-sync}
spec:
  backoffLimit: 0
  template:
    metadata:
      annotations: {simulator.steersman.dev/exit-after: "$2", simulator.steersman.dev/exit-code: "$1"}
    spec: {restartPolicy: Never, containers: [{name: migrate, image: migrate}]}
EOF
}

printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n' | put namespace.yaml
settings 1; migration 0 3s
commit "first"
start --nodes 2 --runtime sim --repo "$WORK/repo.git" --branch main --listen 127.0.0.1:0
first=$(head_of)
eventually 20 "the migration starts" k -n shop get job migrate
check "nothing else is there while it runs" exits 1 k -n shop get configmap settings
eventually 30 "the commit is applied after it" noted "$first" "healthy: 2 created"
check "planning after applying is empty, hook or not" exits 0 "$STEER" plan --repo "$WORK/repo.git" --rev main --detailed-exitcode

settings 2; migration 1 1s; commit "a migration that fails"
eventually 30 "its commit fails, with the hook's name" noted "$(head_of)" "failed: no changes; pre-sync hook Job shop/migrate"
check "and nothing of it was applied" outputs 1 k -n shop get configmap settings -o 'jsonpath={.data.version}'
check "status says so" outputs "pre-sync hook" "$STEER" status
migration 0 600s; commit "a migration that hangs"
hanging=$(head_of)
eventually 30 "it hangs" outputs 1 k -n shop get job migrate -o 'jsonpath={.status.active}'
migration 0 1s; commit "a migration that works"
eventually 40 "a newer commit does not wait for it" noted "$(head_of)" "healthy: 1 updated"
check "the one that hung is superseded" noted "$hanging" superseded
check "the change is applied" outputs 2 k -n shop get configmap settings -o 'jsonpath={.data.version}'

settings 9
check "a plan shows the hook beside the change" outputs "> pre-sync Job shop/migrate" "$STEER" plan "$WORK/clone"
check "and counts it apart" outputs "1 to update, 0 to replace, 0 to delete. 1 hook to run." "$STEER" plan "$WORK/clone"
settings 3; printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad, namespace: shop}\ndata: {}\ndatta: {}\n' | put bad.yaml
commit "one wrong object"
eventually 30 "it is told with file and line" noted "$(head_of)" "in quarantine and left as it lives: bad.yaml:5"
check "the rest is applied" outputs 3 k -n shop get configmap settings -o 'jsonpath={.data.version}'

printf 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: late\n  annotations:\n    steersman.dev/wave: soon\n' >"$WORK/late.yaml"
check "a wave that is no number is found, with its line" outputs "late.yaml:6" "$STEER" validate "$WORK/late.yaml"

check "kubectl makes a job" k create job hello --image=busybox -- echo hello
check "and lists it as running" outputs "Running" k get job hello
check "with its pods" bash -c "[ \$($KUBECTL get pods -l job-name=hello --no-headers | wc -l) = 1 ]"
check "kubectl suspends it" k patch job hello -p '{"spec":{"suspend":true}}'
eventually 20 "its pod goes" bash -c "[ -z \"\$($KUBECTL get pods -l job-name=hello -o name)\" ]"
check "kubectl waits for that" k wait job/hello --for=condition=suspended --timeout=10s
check "kubectl deletes it" k delete job hello --timeout=20s
cat <<EOF >"$WORK/job.yaml"
apiVersion: batch/v1
kind: Job
metadata: {name: parts}
spec:
  completions: 3
  parallelism: 3
  completionMode: Indexed
  template:
    metadata: {annotations: {simulator.steersman.dev/exit-after: 1s}}
    spec: {restartPolicy: Never, containers: [{name: c, image: i}]}
EOF
check "kubectl applies one" k apply -f "$WORK/job.yaml"
check "kubectl waits until it is complete" k wait job/parts --for=condition=complete --timeout=30s
check "kubectl describes it" outputs "0-2" k describe job parts
check "its row says how far it is" outputs "3/3" k get job parts
if stop; then say "ok: Ctrl-C stops it cleanly"; else fail "Ctrl-C ends with an error"; fi
finish
