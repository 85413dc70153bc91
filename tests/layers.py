#!/usr/bin/env python3
"""Fails when a room includes what does not stand on a lower floor, or a file or function is too long.

The table of floors is the one of docs/ARCHITECTURE.md. Doors (floor 3) never include each other.
"""
import pathlib
import re
import sys

FLOORS = {
    "core": 1, "schemas": 1,
    "render": 2, "diff": 2, "cluster/scheduler": 2, "cluster/controllers": 2, "cluster/network": 2,
    "reconciler/plan": 2, "reconciler/health": 2, "nodeagent/pod": 2,
    "net": 3, "cluster/store": 3, "cluster/client": 3, "reconciler/git": 3, "reconciler/report": 3,
    "nodeagent/runtime": 3, "nodeagent/network": 3, "nodeagent/volumes": 3, "nodeagent/dns": 3,
    "cluster/apiserver": 4, "cluster/manager": 4, "reconciler/apply": 4, "reconciler/loop": 4,
    "nodeagent/agent": 4, "simulator": 5, "cli": 6, "web": 6,
}
# core is on the first floor and everyone may use it; schemas may use core only.
# floor 4 rooms may include each other where the table below says so.
SIDEWAYS = {
    ("schemas", "core"), ("cluster/manager", "cluster/apiserver"), ("reconciler/loop", "reconciler/apply"),
    ("nodeagent/agent", "cluster/apiserver"), ("reconciler/plan", "render"), ("reconciler/plan", "diff"), ("reconciler/plan", "reconciler/health"),
}
STORE_USERS = {"cluster/store", "cluster/apiserver", "simulator", "cli"}
MAX_LINES = 600
MAX_FUNCTION = 60

NOT_A_FUNCTION = re.compile(r"\s*(if|for|while|switch|else|do|try|catch|namespace|class|struct|enum|union|extern|return|case)\b")


def long_functions(rel, lines):
    """Functions of clang-formatted code: a line that ends in `{` after a `)` at the outer two indents."""
    for n, line in enumerate(lines):
        m = re.match(r"^( {0,2})\S.*\{$", line)
        if not m or NOT_A_FUNCTION.match(line) or ")" not in "".join(lines[max(0, n - 3):n + 1]):
            continue
        for end in range(n + 1, len(lines)):
            if lines[end].startswith(m[1] + "}"):
                if end - n + 1 > MAX_FUNCTION:
                    yield f"{rel}:{n + 1}: a function of {end - n + 1} lines, at most {MAX_FUNCTION}"
                break


def room_of(path):
    parts = path.split("/")
    two = "/".join(parts[:2])
    return two if two in FLOORS else parts[0]


def main():
    root = pathlib.Path(sys.argv[1])
    bad = []
    for top in sorted({r.split("/")[0] for r in FLOORS}):
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in (".h", ".cpp"):
                continue
            rel = file.relative_to(root).as_posix()
            text = file.read_text()
            lines = text.count("\n")
            if lines > MAX_LINES:
                bad.append(f"{rel}: {lines} lines, at most {MAX_LINES}")
            bad.extend(long_functions(rel, text.splitlines()))
            room = room_of(rel)
            for n, line in enumerate(text.splitlines(), 1):
                m = re.match(r'\s*#include "([^"]+)"', line)
                if not m or "/" not in m[1]:
                    continue
                other = room_of(m[1])
                if other == room or other not in FLOORS:
                    continue
                if other == "cluster/store" and room not in STORE_USERS:
                    bad.append(f"{rel}:{n}: only cluster/apiserver may include cluster/store")
                if FLOORS[other] < FLOORS[room] or (room, other) in SIDEWAYS:
                    continue
                bad.append(f"{rel}:{n}: {room} (floor {FLOORS[room]}) includes {other} (floor {FLOORS[other]})")
    for line in bad:
        print(line)
    print(f"{len(bad)} findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
