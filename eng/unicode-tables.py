#!/usr/bin/env python3
"""Writes src/Mcp.Guard/Stages/ResultSanitizing/UnicodeTables.g.cs from the Unicode data files of Debian packages.

usage: eng/unicode-tables.py UNICODE_DIR FONT_DIR [FONT_DIR ...] > src/Mcp.Guard/Stages/ResultSanitizing/UnicodeTables.g.cs

UNICODE_DIR   /usr/share/unicode of the package unicode-data (used: 15.0.0-1)
FONT_DIR      folders of fonts-hanazono (used: 20170904-2.1) and fonts-ipamj-mincho (used: 005.01-2.1). Debian ships no copy of the
              Ideographic Variation Database; these fonts carry its sequences in their 'cmap' table, subtable format 14 (OpenType).
"""
import glob, os, re, struct, sys

ROOT, FONTS = sys.argv[1], sys.argv[2:]


def rows(name):
    with open(os.path.join(ROOT, name), encoding='utf-8') as file:
        for line in file:
            fields = [field.strip() for field in line.split('#')[0].split(';')]
            if fields[0]:
                yield fields


def span(text):
    first, _, last = text.partition('..')
    return int(first, 16), int(last or first, 16)


def points(name, value, column=1):
    out = set()
    for fields in rows(name):
        if fields[column] == value:
            first, last = span(fields[0])
            out.update(range(first, last + 1))
    return out


def ranges(values):
    """[(first, last, value)] of a dict, equal neighbours joined."""
    out = []
    for point in sorted(values):
        if out and out[-1][1] + 1 == point and out[-1][2] == values[point]:
            out[-1][1] = point
        else:
            out.append([point, point, values[point]])
    return out


def font_sequences(path):
    """(base, selector) pairs of a TrueType font's cmap subtable of format 14."""
    with open(path, 'rb') as file:
        data = file.read()
    u16 = lambda at: struct.unpack_from('>H', data, at)[0]
    u24 = lambda at: data[at] << 16 | u16(at + 1)
    u32 = lambda at: struct.unpack_from('>I', data, at)[0]
    for table in range(u16(4)):
        entry = 12 + 16 * table
        if data[entry:entry + 4] != b'cmap':
            continue
        cmap = u32(entry + 8)
        for sub in range(u16(cmap + 2)):
            at = cmap + u32(cmap + 8 + 8 * sub)
            if u16(at) != 14:
                continue
            for record in range(u32(at + 6)):
                r = at + 10 + 11 * record
                selector, default, other = u24(r), u32(r + 3), u32(r + 7)
                if default:
                    for k in range(u32(at + default)):
                        first, more = u24(at + default + 4 + 4 * k), data[at + default + 7 + 4 * k]
                        for base in range(first, first + more + 1):
                            yield base, selector
                if other:
                    for k in range(u32(at + other)):
                        yield u24(at + other + 4 + 5 * k), selector


ignorable = points('DerivedCoreProperties.txt', 'Default_Ignorable_Code_Point')
virama = points('extracted/DerivedCombiningClass.txt', '9')
pictographic = points('emoji/emoji-data.txt', 'Extended_Pictographic')
strong = (points('extracted/DerivedBidiClass.txt', 'R') | points('extracted/DerivedBidiClass.txt', 'AL')) - {0x061C, 0x200F}

joining = {}
for letter in 'LRD':
    for point in points('extracted/DerivedJoiningType.txt', letter):
        joining[point] = letter

script = {}
for fields in rows('Scripts.txt'):
    first, last = span(fields[0])
    for point in range(first, last + 1):
        script[point] = fields[1]
# Scripts whose letters join or stack, so that a joiner between two letters changes what is seen. Thai and Lao have a
# character of combining class 9 but no joining behaviour.
joiners = ({script.get(p) for p in joining} | {script.get(p) for p in virama}) - {None, 'Common', 'Inherited', 'Thai', 'Lao'}
script_names = sorted(joiners)
script_of = {p: script_names.index(s) for p, s in script.items() if s in joiners}

selectors = {}
for name in ('StandardizedVariants.txt', 'emoji/emoji-variation-sequences.txt'):
    for fields in rows(name):
        base, selector = (int(x, 16) for x in fields[0].split())
        if 0xFE00 <= selector <= 0xFE0F:
            selectors[base] = selectors.get(base, 0) | 1 << (selector - 0xFE00)

ideographic = {}
for folder in FONTS:
    for path in sorted(glob.glob(os.path.join(folder, '**/*.ttf'), recursive=True)):
        for base, selector in font_sequences(path):
            if selector >= 0xE0100:
                ideographic.setdefault(base, set()).add(selector - 0xE0100)
# The registry hands out selectors of a base in order from VS17, so one number a base says it all; where a font lacks one in the
# middle the registry still has it.
ideographic = {base: max(found) + 1 for base, found in ideographic.items()}

# ASCII letters and digits in another dress: full width, mathematical, circled, with accents (the decompositions of UnicodeData.txt).
raw = {}
for fields in rows('UnicodeData.txt'):
    if fields[5]:
        raw[int(fields[0], 16)] = [int(x, 16) for x in fields[5].split() if not x.startswith('<')]


def decompose(point):
    return [p for part in raw[point] for p in decompose(part)] if point in raw else [point]


marks = points('extracted/DerivedGeneralCategory.txt', 'Mn') | points('extracted/DerivedGeneralCategory.txt', 'Me')
ascii_of = {}
for point in raw:
    left = [p for p in decompose(point) if p not in marks]
    if point > 0x7F and len(left) == 1 and left[0] < 0x80 and chr(left[0]).isalnum():
        ascii_of[point] = left[0]
# Runs that count up together (A to Z in one dress) are one row: first, last, ASCII of the first.
ascii_runs = []
for point in sorted(ascii_of):
    if ascii_runs and ascii_runs[-1][1] + 1 == point and ascii_of[point] == ascii_runs[-1][2] + point - ascii_runs[-1][0]:
        ascii_runs[-1][1] = point
    else:
        ascii_runs.append([point, point, ascii_of[point]])

out = []
emit = out.append


def table(name, summary, flat, per_line):
    emit('')
    emit(f'    /// <summary>{summary}</summary>')
    emit(f'    public static ReadOnlySpan<int> {name} =>')
    emit('    [')
    cells = [f'0x{x:X}' for x in flat]
    for at in range(0, len(cells), per_line):
        emit('        ' + ', '.join(cells[at:at + per_line]) + ',')
    emit('    ];')


def pairs(values):
    return [x for first, last, _ in ranges({p: 0 for p in values}) for x in (first, last)]


def triples(values):
    return [x for row in ranges(values) for x in row]


emit('// <auto-generated>')
emit('//   Written by eng/unicode-tables.py from Unicode 15.0.0 (Debian package unicode-data 15.0.0-1) and, for the Ideographic Variation')
emit('//   Database, from fonts-hanazono 20170904-2.1 and fonts-ipamj-mincho 005.01-2.1. Do not edit: change the script.')
emit('//   Unicode data files: Copyright (c) 1991-2022 Unicode, Inc. All rights reserved. Distributed under the Terms of Use in')
emit('//   https://www.unicode.org/copyright.html')
emit('// </auto-generated>')
emit('')
emit('namespace Mcp.Guard.Stages.ResultSanitizing;')
emit('')
emit('/// <summary>Unicode properties that the sanitiser decides by, as sorted ranges of code points; <see cref="CodePoints"/> reads them.</summary>')
emit('internal static class UnicodeTables')
emit('{')
emit('    /// <summary>The version of the Unicode Character Database.</summary>')
emit('    public const string Version = "15.0.0";')
table('DefaultIgnorable', 'Default_Ignorable_Code_Point: first, last.', pairs(ignorable), 12)
table('Virama', 'Canonical combining class 9 (RFC 5892 A.1, A.2): first, last.', pairs(virama), 12)
table('ExtendedPictographic', 'Extended_Pictographic (UTS 51): first, last.', pairs(pictographic), 12)
table('StrongRightToLeft', 'Bidi_Class R or AL, the two marks of those classes left out: first, last.', pairs(strong), 12)
table('JoinsAfter', 'Joining_Type L or D: the letter joins the one that follows. First, last.', pairs(p for p, t in joining.items() if t in 'LD'), 12)
table('JoinsBefore', 'Joining_Type R or D: the letter joins the one before it. First, last.', pairs(p for p, t in joining.items() if t in 'RD'), 12)
table('JoiningScript', 'Scripts whose letters join or stack: first, last, number of the script.', triples(script_of), 12)
emit('')
for number, name in enumerate(script_names):
    if name in ('Arabic', 'Malayalam', 'Mongolian'):
        emit(f'    public const int {name}Script = {number};')
table('VariationSelectors', 'Bases of StandardizedVariants and emoji-variation-sequences: first, last, bit n set where U+FE00 + n is listed.', triples(selectors), 12)
table('AsciiLookalike', 'Characters whose decomposition is one ASCII letter or digit (marks left out): first, last, the ASCII of the first; a run counts up.',
      [x for row in ascii_runs for x in row], 12)

BASE, LAST = 0x3400, 0x9FFF
digit = lambda n: chr(ord('0') + n)
emit('')
emit(f'    public const int IdeographFirst = 0x{BASE:X};')
emit('')
emit(f'    /// <summary>Registered ideographic selectors of U+{BASE:04X} to U+{LAST:04X}, one character each: \'0\' plus how many, counted from VS17. A line is 128.</summary>')
emit('    public static ReadOnlySpan<byte> IdeographSelectors =>')
lines = []
for at in range(BASE, LAST + 1, 128):
    text = ''.join(digit(ideographic.get(p, 0)) for p in range(at, min(at + 128, LAST + 1)))
    lines.append('        "' + text.replace('\\', '\\\\').replace('"', '\\"') + '"u8')
emit(' +\n'.join(lines) + ';')
table('IdeographSelectorsElsewhere', 'The same for the other planes and the compatibility ideographs: first, last, how many.',
      triples({p: n for p, n in ideographic.items() if not BASE <= p <= LAST}), 12)
emit('}')
print('\n'.join(out))
