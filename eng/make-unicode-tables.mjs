// Writes src/Mcp.Guard/Unicode/UnicodeTables.cs from the Unicode data of the Node.js that runs it.
// usage: node eng/make-unicode-tables.mjs > src/Mcp.Guard/Unicode/UnicodeTables.cs
const hex = (n) => '0x' + n.toString(16).toUpperCase();
const all = [];
for (let cp = 0x80; cp < 0x110000; cp++) if (cp < 0xd800 || cp > 0xdfff) all.push(cp);
const ch = (cp) => String.fromCodePoint(cp);
const assigned = (cp) => !/\p{Cn}|\p{Co}/u.test(ch(cp));

// Characters whose compatibility form holds an ASCII character.
const folds = [];
for (const cp of all) {
  const n = ch(cp).normalize('NFKC');
  if (n !== ch(cp) && /[\x00-\x7f]/.test(n)) folds.push([cp, n]);
}
const esc = (s) => [...s].map((c) => {
  const cp = c.codePointAt(0);
  if (c === '"' || c === '\\') return '\\' + c;
  if (cp >= 0x20 && cp < 0x7f) return c;
  return cp > 0xffff ? '\\U' + cp.toString(16).toUpperCase().padStart(8, '0') : '\\u' + cp.toString(16).toUpperCase().padStart(4, '0');
}).join('');

// Lower-case characters that no canonical host label holds: case folding and NFKC change them. Sharp s and final sigma stay (UTS 46, non-transitional).
const ranges = (list) => {
  const r = [];
  for (const cp of list) r.length && r[r.length - 1][1] === cp - 1 ? (r[r.length - 1][1] = cp) : r.push([cp, cp]);
  return r;
};
const fold = (s) => s.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
const unstable = ranges(all.filter((cp) => assigned(cp) && cp !== 0xdf && cp !== 0x3c2 &&
  (ch(cp).normalize('NFKC') !== ch(cp) || (ch(cp).toLowerCase() === ch(cp) && fold(ch(cp)) !== ch(cp)))));

// Order of combining marks: the rank of the canonical combining class, found by what normalisation swaps.
const swaps = (a, b) => ('x' + ch(a) + ch(b)).normalize('NFD') !== ('x' + ch(a)).normalize('NFD') + ch(b).normalize('NFD');
const marks = all.filter((cp) => /\p{M}/u.test(ch(cp)) && ch(cp).normalize('NFD') === ch(cp) && (swaps(cp, 0x334) || swaps(0x345, cp)));
const sorted = [...marks].sort((a, b) => (swaps(a, b) ? 1 : swaps(b, a) ? -1 : 0));
const rank = new Map();
let current = 0;
sorted.forEach((cp, i) => { if (i === 0 || swaps(cp, sorted[i - 1])) current++; rank.set(cp, current); });
const classes = [];
for (const cp of marks) {
  const last = classes[classes.length - 1];
  if (last && last[1] === cp - 1 && last[2] === rank.get(cp)) last[1] = cp;
  else classes.push([cp, cp, rank.get(cp)]);
}

// Pairs that normalisation joins into one character.
const pairs = [];
for (const cp of all) {
  if (cp >= 0xac00 && cp <= 0xd7a3) continue;
  const d = [...ch(cp).normalize('NFD')];
  if (d.length < 2 || ch(cp).normalize('NFC') !== ch(cp)) continue;
  const second = d[d.length - 1], first = d.slice(0, -1).join('').normalize('NFC');
  if ([...first].length === 1 && (first + second).normalize('NFC') === ch(cp)) pairs.push([first.codePointAt(0), second.codePointAt(0)]);
}
const composed = ranges(all.filter((cp) => (cp < 0xac00 || cp > 0xd7a3) && ch(cp).normalize('NFC') === ch(cp) && ch(cp).normalize('NFD') !== ch(cp)));
pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);

const lines = (items, per) => {
  const out = [];
  for (let i = 0; i < items.length; i += per) out.push('        ' + items.slice(i, i + per).join(' '));
  return out.join('\n');
};
const text = [];
let line = '';
for (const [cp, n] of folds) {
  const rec = esc(ch(cp)) + esc(n) + '\\n';
  if (line.length + rec.length > 120) { text.push(line); line = ''; }
  line += rec;
}
text.push(line);
process.stdout.write(`namespace Mcp.Guard.Unicode;

/// <summary>
/// Facts of the Unicode Character Database ${process.versions.unicode}, written by eng/make-unicode-tables.mjs. The guard carries them because a host
/// in invariant globalisation mode has no normalisation: <c>string.Normalize</c> then returns its input, and a check built on it would check nothing.
/// </summary>
internal static class UnicodeTables
{
    /// <summary>Records of one character, its NFKC form, and a line feed: every character whose form holds an ASCII character.</summary>
    public const string AsciiFolds =
${text.map((t) => '        "' + t + '"').join(' +\n')};

    /// <summary>Pairs of first and last code point: characters that case folding with NFKC changes, upper case aside.</summary>
    public static ReadOnlySpan<int> UnstableRanges =>
    [
${lines(unstable.map((r) => `${hex(r[0])}, ${hex(r[1])},`), 7)}
    ];

    /// <summary>Triples of first and last code point and the rank of their canonical combining class.</summary>
    public static ReadOnlySpan<int> CombiningRanges =>
    [
${lines(classes.map((r) => `${hex(r[0])}, ${hex(r[1])}, ${r[2]},`), 6)}
    ];

    /// <summary>Pairs of first and last code point: characters that decompose canonically, Hangul aside.</summary>
    public static ReadOnlySpan<int> ComposedRanges =>
    [
${lines(composed.map((r) => `${hex(r[0])}, ${hex(r[1])},`), 7)}
    ];

    /// <summary>Characters that compose: the first in the upper 32 bits, the second in the lower, sorted.</summary>
    public static ReadOnlySpan<ulong> CompositionPairs =>
    [
${lines(pairs.map((p) => `0x${p[0].toString(16).toUpperCase()}_${p[1].toString(16).toUpperCase().padStart(8, '0')},`), 7)}
    ];
}
`);
