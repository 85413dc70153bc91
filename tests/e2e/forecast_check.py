#!/usr/bin/env python3
"""forecast_check.py FORECAST.json WATCH: compares what `steer plan --simulate -o json` foretold with what
`kubectl get pods -A -w --output-watch-events -o json` then saw.

Compared, for each workload: the order in which pods are created, placed, ready, asked to stop and gone, each with its
node and whether the pod was there before; and how many new pods each node gets. Names of pods are drawn by the server
and say nothing. What the forecast puts at one instant happens within milliseconds, in any order."""
import collections
import json
import sys

COMPARED = {"created", "placed", "ready", "stopping", "gone"}


def documents(text):
    decoder = json.JSONDecoder()
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            return  # the watch was ended in the middle of a document
        yield value


def workload_of(pod):
    meta = pod["metadata"]
    for owner in meta.get("ownerReferences", []):
        if not owner.get("controller"):
            continue
        kind, name = owner["kind"], owner["name"]
        suffix = "-" + meta.get("labels", {}).get("pod-template-hash", "?")
        if kind == "ReplicaSet" and name.endswith(suffix):
            kind, name = "Deployment", name[: -len(suffix)]
        return f"{kind} {meta['namespace']}/{name}"
    return f"Pod {meta['namespace']}/{meta['name']}"


def is_ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))


def seen_events(watch, old):
    """(workload, kind, node, existed) in the order in which the watch told them; old: uids that were there."""
    out = []
    known = {}
    for event in watch:
        pod = event["object"]
        uid = pod["metadata"]["uid"]
        state = known.setdefault(uid, {"node": "", "ready": False, "stopping": False, "new": True})
        existed = uid in old
        workload = workload_of(pod)
        add = lambda kind: out.append((workload, kind, state["node"], existed))
        if state["new"] and existed:
            state.update(node=pod["spec"].get("nodeName", ""), ready=is_ready(pod), new=False)
            state["stopping"] = "deletionTimestamp" in pod["metadata"]
            continue
        if state["new"]:
            state["new"] = False
            add("created")
        if pod["spec"].get("nodeName", "") != state["node"]:
            state["node"] = pod["spec"]["nodeName"]
            add("placed")
        if "deletionTimestamp" in pod["metadata"] and not state["stopping"]:
            state["stopping"] = True
            add("stopping")
        if is_ready(pod) and not state["ready"] and not state["stopping"]:
            add("ready")
        state["ready"] = is_ready(pod)
        if event["type"] == "DELETED":
            add("gone")
    return out


def foretold_events(forecast):
    """Per workload a list of instants, each a multiset of (kind, node, existed)."""
    out = collections.defaultdict(list)
    for event in forecast["events"]:
        if event["event"] not in COMPARED:
            continue
        instants = out[event["workload"]]
        if not instants or instants[-1][0] != event["atSeconds"]:
            instants.append((event["atSeconds"], []))
        node = "" if event["event"] == "created" else event["node"]
        instants[-1][1].append((event["event"], node, event["existed"]))
    return out


def text(item):
    kind, node, existed = item
    return f"{'old' if existed else 'new'} pod {kind}" + (f" on {node}" if node else "")


def compare(workload, instants, seen):
    """Prints both, side by side; True when what was seen is what was foretold."""
    good = True
    rest = list(seen)
    print(workload)
    for at, items in instants:
        part, rest = rest[: len(items)], rest[len(items):]
        same = collections.Counter(items) == collections.Counter(part)
        good = good and same
        if same:
            for item in part:
                print(f"  {at:8.3f}s  {text(item)}")
        else:
            print(f"  {at:8.3f}s  DIFFERENT foretold: {', '.join(map(text, items))}")
            print(f"            DIFFERENT seen:     {', '.join(map(text, part)) or 'nothing'}")
    for item in rest:
        good = False
        print(f"             DIFFERENT not foretold: {text(item)}")
    return good


def main():
    document = json.load(open(sys.argv[1], encoding="utf-8"))
    forecast = document["simulation"]
    watch = list(documents(open(sys.argv[2], encoding="utf-8").read()))
    before = {item["metadata"]["uid"] for item in json.load(open(sys.argv[3], encoding="utf-8"))["items"]}
    foretold = foretold_events(forecast)
    seen = collections.defaultdict(list)
    for workload, kind, node, existed in seen_events(watch, before):
        seen[workload].append((kind, node, existed))
    good = True
    if not any(seen.values()):
        print("nothing happened at all")
        good = False
    for workload in sorted(set(foretold) | {w for w, events in seen.items() if events}):
        good = compare(workload, foretold.get(workload, []), seen.get(workload, [])) and good
    landed = {w["workload"]: w["landed"] for w in forecast["workloads"]}
    for workload, events in seen.items():
        places = collections.Counter(node for kind, node, existed in events if kind == "placed")
        leaving = collections.Counter(node for kind, node, existed in events if kind == "gone" and not existed)
        places.subtract(leaving)
        if {n: c for n, c in places.items() if c} != landed.get(workload, {}):
            print(f"{workload}: foretold to land on {landed.get(workload, {})}, landed on {dict(places)}")
            good = False
    for assumption in forecast.get("assumptions", []):
        print("assumed:", assumption)
    print("as foretold" if good else "NOT as foretold")
    sys.exit(0 if good else 1)


main()
