#!/usr/bin/env python3
"""Two real kubectls against one real `steer up` on simulated nodes: what they print and how they end.

STEER is the binary; KUBECTL's folder holds kubectl1.27 and kubectl1.33. Both versions run at the same time, each in
namespaces of its own. Arguments: words; only cases whose names contain one of them run.
"""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import access  # noqa: E402,F401
import editing  # noqa: E402,F401
import knowing  # noqa: E402,F401
import reading  # noqa: E402,F401
import running  # noqa: E402,F401
import writing  # noqa: E402,F401
from bench import CASES, Cluster, Kubectl, Mismatch  # noqa: E402


def run_version(cluster, version, words, failures, counts, turn):
    k = Kubectl(cluster, version)
    k.prepare()
    for name, body, alone in CASES:
        if words and not any(word in name for word in words):
            continue
        begin = time.monotonic()
        try:
            if alone:
                with turn:
                    body(k)
            else:
                body(k)
            counts[version] += 1
            print(f"ok      {version}  {name} ({time.monotonic() - begin:.1f}s)", flush=True)
        except Mismatch as problem:
            failures.append(f"FAILED  {version}  {name}\n{problem}")
            print(failures[-1], flush=True)
        except Exception as problem:  # a case that breaks must not end the others
            failures.append(f"FAILED  {version}  {name}: {type(problem).__name__}: {problem}\n{k.last}")
            print(failures[-1], flush=True)


def main():
    folder = os.path.dirname(os.environ.get("KUBECTL", ""))
    versions = [v for v in ("1.27", "1.33") if os.access(f"{folder}/kubectl{v}", os.X_OK)]
    if not versions:
        print("SKIPPED: no kubectl")
        return 77
    begin = time.monotonic()
    failures, counts, turn = [], {v: 0 for v in versions}, threading.Lock()
    with Cluster(os.environ["STEER"], folder) as cluster:
        threads = [threading.Thread(target=run_version, args=(cluster, v, sys.argv[1:], failures, counts, turn))
                   for v in versions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    passed = ", ".join(f"kubectl {v}: {n} passed" for v, n in counts.items())
    print(f"{passed}; {len(failures)} failed; {time.monotonic() - begin:.0f}s")
    for failure in failures:
        print(failure)
    return 1 if failures or 0 in counts.values() else 0


if __name__ == "__main__":
    sys.exit(main())
