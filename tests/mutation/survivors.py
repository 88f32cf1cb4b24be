#!/usr/bin/env python3
"""survivors.py REPORT [BAR]: the mutants of a report of dotnet-stryker that no test noticed, the score of each file, and that of all; exit 1 below BAR percent."""
import json
import sys

KILLED, ALIVE = ("Killed", "Timeout"), ("Survived", "NoCoverage")


def is_told_to_await(mutant, lines):
    """ConfigureAwait(false) made true: nothing without a synchronisation context, and no test has one. (The option of dotnet-stryker for this leaves out what is awaited, too.)"""
    start = mutant["location"]["start"]
    return lines[start["line"] - 1][:start["column"] - 1].endswith("ConfigureAwait(")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        report = json.load(file)
    bar = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    killed = alive = 0
    scores = []
    for path, source in sorted(report["files"].items()):
        lines = source["source"].split("\n")
        counted = [mutant for mutant in source["mutants"] if not is_told_to_await(mutant, lines)]
        dead = [mutant for mutant in counted if mutant["status"] in KILLED]
        living = [mutant for mutant in counted if mutant["status"] in ALIVE]
        if not dead and not living:
            continue
        killed += len(dead)
        alive += len(living)
        name = path.split("src/Mcp.Guard/")[-1]
        scores.append((name, len(dead), len(living)))
        for mutant in sorted(living, key=lambda m: (m["location"]["start"]["line"], m["location"]["start"]["column"])):
            start, end = mutant["location"]["start"], mutant["location"]["end"]
            last = end["column"] - 1 if end["line"] == start["line"] else None
            was = lines[start["line"] - 1][start["column"] - 1:last].strip()
            now = " ".join(mutant.get("replacement", "").split())
            print(f"{name}:{start['line']}: {mutant['status']}: {mutant['mutatorName']}: {was[:110]} -> {now[:110]}")
    print()
    for name, dead, living in scores:
        print(f"{100.0 * dead / (dead + living):5.1f} %  {dead:4} of {dead + living:4}  {name}")
    score = 100.0 * killed / max(1, killed + alive)
    print(f"{score:5.1f} %  {killed:4} of {killed + alive:4}  all")
    return 0 if score >= bar else 1


sys.exit(main())
