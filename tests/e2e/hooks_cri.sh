#!/usr/bin/env bash
# A migration before a rollout, with real containers: the hook writes, the deployment that comes after reads what it
# wrote, and a smoke test after the rollout asks the service.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root"
for tool in containerd runc nft ip git; do command -v $tool >/dev/null || skip "$tool is not installed"; done
[ -x "$KUBECTL" ] || skip "no kubectl"
k() { "$KUBECTL" "$@"; }
check "images are made" "$SOURCE/scripts/images" "$WORK/images"
git init -q --bare -b main "$WORK/repo.git"; git init -q -b main "$WORK/clone"
git -C "$WORK/clone" remote add origin "$WORK/repo.git"
noted() { git -C "$WORK/repo.git" log -1 --notes=steersman --format=%N "$1" | grep -qi -- "$2"; }
mkdir -p "$WORK/db"; chmod 777 "$WORK/db"
shop() { # $1: version of the schema
  cat <<EOF >"$WORK/clone/shop.yaml"
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  namespace: shop
  annotations: {steersman.dev/hook: pre-sync}
spec:
  backoffLimit: 1
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: migrate
          image: registry.local/busybox:1
          command: [sh, -c, "sleep 2; echo schema $1 >/db/schema; echo migrated to $1"]
          volumeMounts: [{name: db, mountPath: /db}]
      volumes: [{name: db, hostPath: {path: $WORK/db}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: registry.local/redis:7
          command: [sh, -c, "grep -q 'schema $1' /db/schema || exit 1; redis-server --save '' --protected-mode no & until redis-cli set schema 'schema $1'; do sleep 0.2; done; wait"]
          readinessProbe: {exec: {command: [sh, -c, "redis-cli get schema | grep -q schema"]}, periodSeconds: 1}
          volumeMounts: [{name: db, mountPath: /db}]
      volumes: [{name: db, hostPath: {path: $WORK/db}}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{port: 6379}]
---
apiVersion: batch/v1
kind: Job
metadata:
  name: smoke
  namespace: shop
  annotations: {argocd.argoproj.io/hook: PostSync}
spec:
  backoffLimit: 3
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: smoke
          image: registry.local/redis:7
          command: [sh, -c, "redis-cli -h web.shop get schema | grep 'schema $1'"]
EOF
}
shop 1; commit "shop 1"
start --nodes 2 --runtime cri --images "$WORK/images" --repo "$WORK/repo.git" --branch main --listen 127.0.0.1:0
first=$(git -C "$WORK/clone" rev-parse HEAD)
eventually 120 "the first commit is healthy, smoke test and all" noted "$first" healthy
check "the migration wrote before the deployment read" outputs "schema 1" cat "$WORK/db/schema"
check "no pod of the deployment had to be restarted" outputs 0 k -n shop get pods -l app=web -o 'jsonpath={.items[*].status.containerStatuses[*].restartCount}'
check "the migration's log reaches kubectl" outputs "migrated to 1" k -n shop logs job/migrate
check "the smoke test asked the service" outputs "schema 1" k -n shop logs job/smoke
check "kubectl sees both complete" bash -c "[ \$($KUBECTL -n shop get jobs --no-headers | grep -c Complete) = 2 ]"
shop 2; commit "shop 2"
eventually 120 "the second commit is healthy" noted "$(git -C "$WORK/clone" rev-parse HEAD)" healthy
check "its migration ran again" outputs "migrated to 2" k -n shop logs job/migrate
sed -i 's/echo schema 2/exit 3; echo/' "$WORK/clone/shop.yaml"; sed -i 's/schema 2/schema 3/' "$WORK/clone/shop.yaml"; commit "a migration that fails"
eventually 60 "a migration that fails stops its commit" noted "$(git -C "$WORK/clone" rev-parse HEAD)" "pre-sync hook Job shop/migrate"
check "and the deployment is as it was" outputs "schema 2" k -n shop get deploy web -o yaml
if stop; then say "ok: Ctrl-C stops it cleanly"; else fail "Ctrl-C ends with an error"; fi
finish
