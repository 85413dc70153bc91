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


# Their overloads without a std::error_code throw: a step that is too long or a folder that cannot be read ended a server.
THROWING = re.compile(
    r"\b(?:fs|filesystem)::(absolute|canonical|weakly_canonical|relative|proximate|copy|copy_file|copy_symlink|"
    r"create_director(?:y|ies)|create_hard_link|create_symlink|create_directory_symlink|current_path|equivalent|exists|"
    r"file_size|hard_link_count|is_\w+|last_write_time|permissions|read_symlink|remove|remove_all|rename|resize_file|"
    r"space|status|symlink_status|temp_directory_path|(?:recursive_)?directory_iterator)\s*(?:\w+\s*)?([({])")
# Members of an entry of a folder that throw without an error code.
THROWING_ENTRY = re.compile(r"\bentry\.(exists|file_size|is_\w+|last_write_time|status|symlink_status)\(\)")


def throwing_calls(rel, text):
    """Calls of std::filesystem without an error code as their last argument."""
    for m in THROWING.finditer(text):
        depth, end = 0, m.end() - 1
        for end in range(m.end() - 1, len(text)):
            depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(text[end], 0)
            if depth == 0:
                break
        arguments = text[m.end():end]
        if m[1].endswith("directory_iterator") and not arguments.strip():
            continue  # the end of a folder
        if re.match(r"\w*$|(?:\w+::)?\w*status\(", arguments) and m[1].startswith(("is_", "exists")) and "status" in arguments:
            continue  # what a look has shown already
        if not re.search(r"(^|,)\s*(ec|error|failed|ignored)\w*\s*$", arguments):
            yield f"{rel}:{text.count(chr(10), 0, m.start()) + 1}: {m[0]}…) throws; use the overload with an error code"
    for m in THROWING_ENTRY.finditer(text):
        yield f"{rel}:{text.count(chr(10), 0, m.start()) + 1}: {m[0]} throws; use the overload with an error code"


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
            bad.extend(throwing_calls(rel, text))
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
