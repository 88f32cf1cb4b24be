#!/usr/bin/env python3
"""coverage.py REPORT...: branch and line coverage of the folders that decide, from cobertura reports, and the least covered files."""
import collections
import re
import sys
import xml.etree.ElementTree as tree

DECIDES = re.compile(r"(Pipeline|Policy(?:/\w+)?|Stages/\w+)/")
GENERATED = re.compile(r"/obj/|\.g\.cs$")


def main():
    lines = collections.defaultdict(int)
    branches = {}
    for report in sys.argv[1:]:
        root = tree.parse(report).getroot()
        for unit in root.iter("class"):
            name = unit.get("filename").replace("\\", "/").split("src/Mcp.Guard/")[-1]
            if not DECIDES.match(name) or GENERATED.search(unit.get("filename")):
                continue
            for line in unit.iter("line"):
                at = name, int(line.get("number"))
                lines[at] = max(lines[at], int(line.get("hits")))
                if line.get("branch") == "True":
                    taken, of = map(int, re.search(r"\((\d+)/(\d+)\)", line.get("condition-coverage")).groups())
                    before = branches.get(at, (0, of))
                    branches[at] = max(before[0], taken), max(before[1], of)
    folders, files = collections.defaultdict(lambda: [0, 0, 0, 0]), collections.defaultdict(lambda: [0, 0, 0, 0])
    for (name, _), hits in lines.items():
        for counts in folders[DECIDES.match(name).group(1)], files[name], folders["all"]:
            counts[0] += hits > 0
            counts[1] += 1
    for (name, _), (taken, of) in branches.items():
        for counts in folders[DECIDES.match(name).group(1)], files[name], folders["all"]:
            counts[2] += taken
            counts[3] += of
    print("branches            lines              folder")
    for name, counts in sorted(folders.items()):
        print(row(counts) + name)
    print("\nleast covered files, by branches not taken")
    for name, counts in sorted(files.items(), key=lambda item: item[1][2] - item[1][3])[:25]:
        missing = sorted(at[1] for at, (taken, of) in branches.items() if at[0] == name and taken < of)
        print(row(counts) + name + ": " + ", ".join(map(str, missing[:40])))


def row(counts):
    def part(taken, of):
        return f"{100 * taken / of:5.1f} % {taken:5}/{of:<5}" if of else "               -   "
    return part(counts[2], counts[3]) + " " + part(counts[0], counts[1]) + " "


main()
