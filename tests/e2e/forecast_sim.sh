#!/usr/bin/env bash
# A forecast is held against what then happens, in a running cluster with simulated nodes: rollouts of several kinds,
# more and fewer replicas, a node that is full.
. "$(dirname "$0")/lib.sh"
[ -x "$KUBECTL" ] || skip "no kubectl"
. "$SOURCE/tests/e2e/forecast.sh"
git init -q --bare -b main "$WORK/repo.git"; git init -q -b main "$WORK/clone"
git -C "$WORK/clone" remote add origin "$WORK/repo.git"
# deployment NAME REPLICAS IMAGE CPU STRATEGY START STOP
deployment() {
  cat <<Y
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: $1, namespace: shop}
spec:
  replicas: $2
  strategy: $5
  selector: {matchLabels: {app: $1}}
  template:
    metadata:
      labels: {app: $1}
      annotations: {simulator.steersman.dev/start-delay: $6, simulator.steersman.dev/stop-delay: $7}
    spec: {containers: [{name: c, image: "$3", resources: {requests: {cpu: $4, memory: 64Mi}}}]}
Y
}
shop() { # VERSION REPLICAS-OF-WEB
  { printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n'
    deployment web "$2" "web:$1" 300m '{rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}' 700ms 250ms
    deployment api 2 "api:$1" 500m '{rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}' 900ms 400ms
    deployment batch 2 "batch:1" 200m '{type: Recreate}' 500ms 1200ms
  } >"$WORK/clone/shop.yaml"
}
shop 1 5; commit "shop 1"
start --nodes 3 --runtime sim --repo "$WORK/repo.git" --branch main --listen 127.0.0.1:0
eventually 60 "the first commit is healthy" noted "$(git -C "$WORK/clone" rev-parse HEAD)" healthy
shop 2 5; foretell "new images for web and api"
tampered() { # the comparison is no formality
  python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
for e in d["simulation"]["events"]:
    if e["event"] == "placed": e["node"] = "node-9"; break
json.dump(d, open(sys.argv[2], "w"))' "$WORK/forecast.json" "$WORK/tampered.json"
  python3 "$SOURCE/tests/e2e/forecast_check.py" "$WORK/tampered.json" "$WORK/watch" "$WORK/before.json"
}
check "another forecast would not have passed" exits 1 tampered
sed -i 's/batch:1/batch:2/' "$WORK/clone/shop.yaml"; foretell "all of batch at once"
shop 2 8; foretell "three more of web"
shop 2 4; foretell "four fewer of web"
shop 3 6; foretell "new images and two more"
check "the record of what pods took is there" outputs web:2 "$KUBECTL" -n kube-system get configmap steersman-pod-times -o yaml
finish
