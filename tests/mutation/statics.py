#!/usr/bin/env python3
"""statics.py REPORT TESTS MUTATED: judges the mutants of static values again, each in a process of its own, and writes what it finds into REPORT.

dotnet-stryker's runner for this test platform keeps its processes between mutants. What a static field was given once, before the mutant was switched on, stays, so that such a
mutant lives whatever the tests say. TESTS is the folder of the compiled tests, MUTATED the library with all mutants in it; which one is on stands, as four bytes, in the file
that STRYKER_MUTANT_FILE names. MCP_GUARD_MUTATE_HOSTS (default: one a core) processes run at a time.

A run of all tests without a mutant has to pass first, also where there is nothing to judge again: a test that fails on code that can be mutated "notices" every mutant.
"""
import concurrent.futures
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time


def run(tests, folder, mutant, limit):
    """The state of one mutant: Killed, Survived or Timeout."""
    path = os.path.join(folder, f"mutant-{mutant}")
    with open(path, "wb") as file:
        file.write(struct.pack("<i", mutant))
    environment = {**os.environ, "STRYKER_MUTANT_FILE": path}
    try:
        ended = subprocess.run(
            ["dotnet", os.path.join(tests, "Mcp.Guard.Tests.dll"), "--no-progress", "--no-ansi"],
            cwd=tests, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=limit, check=False)
        return "Survived" if ended.returncode == 0 else "Killed"
    except subprocess.TimeoutExpired:
        return "Timeout"


def main():
    report_path, tests, mutated = sys.argv[1:4]
    with open(report_path, encoding="utf-8") as file:
        report = json.load(file)
    living = [mutant for source in report["files"].values() for mutant in source["mutants"] if mutant.get("static") and mutant["status"] == "Survived"]
    hosts = int(os.environ.get("MCP_GUARD_MUTATE_HOSTS") or os.cpu_count() or 1)
    # Beside the folder of the tests, and not elsewhere: tests look for files above it.
    copy = tests.rstrip("/") + "-statics"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(tests, copy)
    shutil.copyfile(mutated, os.path.join(copy, "Mcp.Guard.dll"))
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(hosts) as pool:
        start = time.monotonic()
        if run(copy, folder, -1, 600) != "Survived":
            print("statics.py: the tests do not pass without a mutant, so the scores mean nothing; run Mcp.Guard.Tests.dll in " + copy, file=sys.stderr)
            return 1
        if not living:
            return 0
        limit = 30 + 4 * hosts * (time.monotonic() - start)
        for mutant, status in zip(living, pool.map(lambda mutant: run(copy, folder, int(mutant["id"]), limit), living)):
            mutant["status"] = status
    with open(report_path, "w", encoding="utf-8") as file:
        json.dump(report, file)
    print(f"{len(living)} mutants of static values judged in processes of their own: {sum(mutant['status'] != 'Survived' for mutant in living)} noticed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
