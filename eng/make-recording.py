"""Draws the output of a program as a picture of a terminal: dotnet run --project samples/GuardedHost < /dev/null | python3 eng/make-recording.py docs/guarded-host.svg"""
import html
import re
import sys

WIDTH, LINE, SIZE = 118, 17, 13
# What differs between two runs: folders, ids and moments.
STEADY = [(r"/tmp/mcp-guard-[a-z]+-\w+", "/tmp/sample"), (r"\S*/samples/GuardedHost/bin/\S*/FileServer", "FileServer"), (r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{22}\b", "01a2...")]
COLOURS = [(r"^\s*denied", "#e5786d"), (r"^\s*allowed", "#8fc76f"), (r"^\s*(asked|answer)", "#e3c46f"), (r"^>", "#7fb4e6")]


def lines(text):
    for line in re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).splitlines():
        for pattern, steady in STEADY:
            line = re.sub(pattern, steady, line)
        line = line.rstrip()
        if not line:
            yield "", True
        while line:
            yield line[:WIDTH], False
            line = "    " + line[WIDTH:] if len(line) > WIDTH else ""


shown = [line for line, _ in lines(sys.stdin.read())]
height = LINE * len(shown) + 44
with open(sys.argv[1], "w", encoding="utf-8", newline="\n") as file:
    file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * 8 + 32}" height="{height}" font-family="ui-monospace,Consolas,Menlo,monospace" font-size="{SIZE}">')
    file.write('<rect width="100%" height="100%" rx="8" fill="#1c2430"/>')
    file.write(f'<text x="16" y="24" fill="#9fb0c3">$ dotnet run --project samples/GuardedHost</text>\n')
    for number, line in enumerate(shown):
        fill = next((colour for pattern, colour in COLOURS if re.search(pattern, line)), "#dce4ee")
        file.write(f'<text x="16" y="{44 + number * LINE}" fill="{fill}" xml:space="preserve">{html.escape(line)}</text>\n')
    file.write("</svg>\n")
