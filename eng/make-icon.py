"""Draws the icon of the packages, a gate in a shield: python3 eng/make-icon.py writes eng/icon.svg and eng/icon.png (128 by 128). Needs nothing but Python."""
import math
import os
import struct
import zlib

SIZE, FINE = 128, 4
BLUE, PALE, GREEN = (23, 55, 94), (238, 243, 249), (62, 160, 108)
HERE = os.path.dirname(os.path.abspath(__file__))

# A shield: straight top, sides that meet in a point.
SHIELD = "M64 8 L112 24 V62 C112 92 92 112 64 122 C36 112 16 92 16 62 V24 Z"
BARS = [(38, 40, 8, 48), (82, 40, 8, 48)]
BEAM = (34, 34, 60, 8)
DOT, RADIUS = (64, 66), 11


def bezier(a, b, c, d, steps=40):
    for i in range(1, steps + 1):
        t = i / steps
        yield tuple((1 - t) ** 3 * a[k] + 3 * (1 - t) ** 2 * t * b[k] + 3 * (1 - t) * t * t * c[k] + t ** 3 * d[k] for k in (0, 1))


def shield():
    points = [(64, 8), (112, 24), (112, 62)]
    points += bezier((112, 62), (112, 92), (92, 112), (64, 122))
    points += bezier((64, 122), (36, 112), (16, 92), (16, 62))
    return points + [(16, 24)]


def inside(points, x, y):
    found = False
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1]):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            found = not found
    return found


def colour(points, x, y):
    if not inside(points, x, y):
        return None
    if math.hypot(x - DOT[0], y - DOT[1]) <= RADIUS:
        return GREEN
    if any(left <= x < left + width and top <= y < top + height for left, top, width, height in BARS + [BEAM]):
        return PALE
    return BLUE


def png():
    points, rows = shield(), []
    for y in range(SIZE):
        row = bytearray([0])
        for x in range(SIZE):
            samples = [colour(points, x + (i + 0.5) / FINE, y + (j + 0.5) / FINE) for i in range(FINE) for j in range(FINE)]
            filled = [sample for sample in samples if sample]
            row += bytes(sum(sample[k] for sample in filled) // len(filled) for k in range(3)) if filled else bytes(3)
            row.append(255 * len(filled) // len(samples))
        rows.append(bytes(row))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(b"".join(rows), 9)) + chunk(b"IEND", b"")


def svg():
    def hexa(rgb):
        return "#%02x%02x%02x" % rgb

    rects = "".join(f'<rect x="{x}" y="{y}" width="{w}" height="{h}" fill="{hexa(PALE)}"/>' for x, y, w, h in BARS + [BEAM])
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}"><path d="{SHIELD}" fill="{hexa(BLUE)}"/>'
            f'{rects}<circle cx="{DOT[0]}" cy="{DOT[1]}" r="{RADIUS}" fill="{hexa(GREEN)}"/></svg>\n')


with open(os.path.join(HERE, "icon.png"), "wb") as file:
    file.write(png())
with open(os.path.join(HERE, "icon.svg"), "w", encoding="utf-8", newline="\n") as file:
    file.write(svg())
