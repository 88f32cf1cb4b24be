// Compares the schema engine's patterns with those of node (ECMA-262, flag u) on random pattern and text pairs.
//
//   node patterns.mjs COUNT SEED -- COMMAND [ARG ...]
//
// Exits 0 only where every pair agrees, but for one difference that is not the engine's: V8 tries matches inside a surrogate pair, where no
// character begins. From annex B the engine takes a literal '{', '}', ']' and an escaped '-': node gets those written strictly.
import { spawnSync } from 'node:child_process';

const split = process.argv.indexOf('--');
const count = Number(process.argv[2] ?? 1000);
let state = BigInt(process.argv[3] ?? 1);
const command = process.argv.slice(split + 1);
if (split < 0 || command.length === 0) {
  console.error('usage: node patterns.mjs COUNT SEED -- COMMAND [ARG ...]');
  process.exit(2);
}

// splitmix64: the same pairs for the same seed, wherever it runs.
function next() {
  state = (state + 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
  let z = state;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & 0xffffffffffffffffn;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & 0xffffffffffffffffn;
  return Number((z ^ (z >> 31n)) & 0x7fffffffn);
}
const below = n => next() % n;
const pick = list => list[below(list.length)];

const atoms = ['a', 'b', 'c', '-', 'é', '😀', 'ß', 'K', '\\d', '\\w', '\\s', '\\D', '\\W', '\\S', '.', '\\n', '\\t', '\\u0041', '\\u{1F600}', '\\ud83d\\ude00', '\\x62', '\\cJ',
  '\\0', '\\/', '\\.', '[ab]', '[^a]', '[a-c]', '[^\\d]', '[\\w]', '[\\s\\S]', '[^\\W\\d]', '[-a]', '[a-]', '[\\-]', '[\\]]', '[\\u{1F600}-\\u{1F64F}]', '[^😀]', '[\\b]', '[^]', '[]',
  '\\p{L}', '\\P{L}', '\\p{Lu}', '\\p{Nd}', '[\\p{L}\\d]', '[^\\p{L}]', '\\b', '\\B', '^', '$', '(?=a)', '(?!b)', '(?<=a)', '(?<!b)', '(?=.*\\d)', '\\u2028', '\\ufeff',
  ['{', '\\{'], ['}', '\\}'], [']', '\\]'], ['a{', 'a\\{'], ['\\-', '-'], ['\\@', '@']];
const same = text => [text, text];
const join = (...parts) => [0, 1].map(i => parts.map(part => typeof part === 'string' ? part : part[i]).join(''));

// Each pattern twice: as the engine reads it, and as strict ECMA-262.
function pattern(depth) {
  switch (below(depth > 0 ? 13 : 4)) {
    case 4: case 5: case 6: return join(pattern(depth - 1), pattern(depth - 1));
    case 7: return join('(?:', pattern(depth - 1), '|', pattern(depth - 1), ')');
    case 8: return join('(', pattern(depth - 1), ')');
    case 9: return join('(?:', pattern(depth - 1), ')', pick(['*', '+', '?', '{2}', '{1,3}', '{0,2}', '{2,}', '*?', '+?', '??', '{1,2}?']));
    case 10: return join('(?', pick(['=', '!', '<=', '<!']), pattern(depth - 1), ')');
    case 11: return join('(', pattern(depth - 1), ')', pattern(depth - 1), '\\1');
    case 12: return join('(?<n>', pattern(depth - 1), ')', pick(['\\k<n>', '', '*']), pattern(depth - 1));
    default: {
      const atom = pick(atoms);
      return typeof atom === 'string' ? same(atom) : atom;
    }
  }
}

const characters = ['a', 'b', 'c', 'A', '1', '_', '-', 'é', '😀', '🙏', 'ß', 'ſ', 'K', '\n', '\t', ' ', '\u00a0', '\u2028', '\ufeff', '\u0000', '٤', '{', '}', ']', '@', 'ab', 'aa', '.'];
const rows = [];
while (rows.length < count) {
  const [source, strict] = pattern(4);
  let expression;
  try { expression = new RegExp(strict, 'u'); } catch { expression = null; }
  for (let i = 0; i < 5 && rows.length < count; i++) {
    rows.push({ source, expression, text: Array.from({ length: below(7) }, () => pick(characters)).join('') });
  }
}

const input = rows.map((row, id) => JSON.stringify({ id, schema: { pattern: row.source }, instanceText: JSON.stringify(row.text) })).join('\n') + '\n';
const run = spawnSync(command[0], [...command.slice(1), 'explain', 'schema'], { input, encoding: 'utf8', maxBuffer: 1 << 30 });
const answers = run.stdout.split('\n').filter(line => line).map(line => JSON.parse(line));
const isInsidePair = (text, index) => index > 0 && text.charCodeAt(index) >= 0xdc00 && text.charCodeAt(index) <= 0xdfff;
const tally = {};
let bad = answers.length === rows.length ? 0 : 1;
for (const [i, { source, expression, text }] of rows.entries()) {
  const match = expression?.exec(text);
  const expected = expression === null ? 'reject-schema' : match ? 'valid' : 'invalid';
  const actual = answers[i]?.outcome ?? 'none';
  const kind = actual === expected ? `agree ${actual}` : actual === 'invalid' && match && isInsidePair(text, match.index) ? 'node inside a surrogate pair' : 'DISAGREE';
  tally[kind] = (tally[kind] ?? 0) + 1;
  if (kind === 'DISAGREE' && bad++ < 20) console.log(`node ${expected}, mcp-guard ${actual}: ${JSON.stringify(source)} on ${JSON.stringify(text)} ${answers[i]?.message ?? ''}`);
}
console.log(tally);
process.exit(bad ? 1 : 0);
