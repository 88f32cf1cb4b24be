// Compares the schema engine with ajv on random schema and instance pairs.
//
//   npm ci --ignore-scripts && node run.mjs COUNT SEED [--keep FILE] -- COMMAND [ARG ...]
//
// COMMAND is how mcp-guard starts. Where ajv answers otherwise, @hyperjump/json-schema, which passes the whole test suite, is asked.
// Exits 0 only where it sides with mcp-guard on each such pair and the pair is of a class listed in `classes` below. --keep writes the pairs.
import { spawnSync } from 'node:child_process';
import Ajv2020 from 'ajv/dist/2020.js';
import Ajv from 'ajv';
import { writeFileSync } from 'node:fs';
import { registerSchema, unregisterSchema, validate as judge } from '@hyperjump/json-schema/draft-2020-12';
import '@hyperjump/json-schema/draft-07';

const split = process.argv.indexOf('--');
const count = Number(process.argv[2] ?? 1000);
let state = BigInt(process.argv[3] ?? 1);
const command = process.argv.slice(split + 1);
const keepAt = process.argv.indexOf('--keep');
const keep = keepAt > 0 && keepAt < split ? process.argv[keepAt + 1] : null;
if (split < 0 || command.length === 0) {
  console.error('usage: node run.mjs COUNT SEED [--keep FILE] -- COMMAND [ARG ...]');
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
const some = (n, make) => Array.from({ length: below(n) + 1 }, make);

const names = ['a', 'b', 'c', 'ab', 'é', 'long-name-with-more-than-sixteen-bytes', ''];
const patterns = ['^a', 'b$', '^[a-c]+$', '^(?:a|bc){1,2}$', '\\d', '^.{2}$', '^(a+)+$', '[^a]', '^\\w*$', 'é'];
const scalars = () => pick([null, true, false, 0, 1, -1, 2, 3, 10, 1.5, -0.5, 1e3, '', 'a', 'ab', 'abc', 'bcbc', 'é', '😀a', '7', 'x y']);

function instance(depth) {
  switch (below(depth > 0 ? 6 : 3)) {
    case 3: return Array.from({ length: below(5) }, () => instance(depth - 1));
    case 4: case 5: return Object.fromEntries(Array.from({ length: below(5) }, () => [pick(names), instance(depth - 1)]));
    default: return scalars();
  }
}

// While the schema that '#named' means is made: it must not come back to itself for the same value, which mcp-guard refuses.
let isNamed = false;

function named(draft) {
  isNamed = true;
  const made = { allOf: [schema(2, draft)], ...(draft === '2020' ? { $anchor: 'named' } : { $id: '#named' }) };
  isNamed = false;
  return made;
}

function schema(depth, draft) {
  if (below(12) === 0) return pick([true, false]);
  const s = {};
  for (let i = below(4) + 1; i > 0; i--) keyword(s, depth, draft);
  return s;
}

function map(depth, draft, keys) {
  return Object.fromEntries(some(3, () => [pick(keys), schema(depth - 1, draft)]));
}

function keyword(s, depth, draft) {
  const is2020 = draft === '2020';
  const child = () => schema(depth - 1, draft);
  const leaf = [
    () => { s.type = pick(['null', 'boolean', 'integer', 'number', 'string', 'array', 'object']); },
    () => { s.type = [...new Set(some(3, () => pick(['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'])))]; },
    () => { s.enum = [...new Map(some(4, () => instance(1)).map(v => [JSON.stringify(v), v])).values()]; },
    () => { s.const = instance(1); },
    () => { s.minimum = pick([-1, 0, 1, 1.5]); }, () => { s.maximum = pick([0, 1, 2, 10]); },
    () => { s.exclusiveMinimum = pick([-1, 0, 1]); }, () => { s.exclusiveMaximum = pick([1, 2, 3]); },
    () => { s.multipleOf = pick([1, 2, 3, 0.5]); },
    () => { s.minLength = below(4); }, () => { s.maxLength = below(4); }, () => { s.pattern = pick(patterns); },
    () => { s.minItems = below(4); }, () => { s.maxItems = below(4); }, () => { s.uniqueItems = true; },
    () => { s.minProperties = below(3); }, () => { s.maxProperties = below(4); },
    () => { s.required = [...new Set(some(3, () => pick(names)))]; },
    () => { if (is2020) s.dependentRequired = Object.fromEntries(some(2, () => [pick(names), [pick(names)]])); },
  ];
  const nested = [
    () => { s.properties = map(depth, draft, names); }, () => { s.patternProperties = map(depth, draft, patterns); },
    () => { s.additionalProperties = child(); }, () => { s.propertyNames = child(); },
    () => { s.items = child(); },
    () => { if (is2020) s.prefixItems = some(3, child); else { s.items = some(3, child); s.additionalItems = child(); } },
    () => { s.contains = child(); if (is2020 && below(2)) s.minContains = below(3); if (is2020 && below(2)) s.maxContains = below(3) + 1; },
    () => { s.allOf = some(3, child); }, () => { s.anyOf = some(3, child); }, () => { s.oneOf = some(3, child); },
    () => { s.not = child(); },
    () => { s.if = child(); s.then = child(); if (below(2)) s.else = child(); },
    () => { if (is2020) s.dependentSchemas = map(depth, draft, names); else s.dependencies = map(depth, draft, names); },
    () => { if (is2020) s.unevaluatedProperties = below(2) ? false : child(); },
    () => { if (is2020) s.unevaluatedItems = below(2) ? false : child(); },
    () => { s.properties = { ...s.properties, [pick(names)]: { $ref: '#/definitions/r' } }; },
    () => { s.items = { $ref: '#/definitions/r' }; },
    () => { s.properties = { ...s.properties, [pick(names)]: { $ref: pick(['#', '#named']) } }; },
    () => { s.items = { $ref: pick(['#', '#named']) }; },
    () => { s.anyOf = isNamed ? some(2, child) : [{ $ref: '#named' }, ...some(2, child)]; },
    () => { s.properties = { ...s.properties, [pick(names)]: is2020 ? { $dynamicRef: '#dynamic' } : { $ref: '#/definitions/named' } }; },
  ];
  pick(depth > 0 && below(3) > 0 ? nested : leaf)();
}

// What ajv 8.20.0 decides otherwise, each with the rule it breaks; a pair that is of none of these classes is a failure.
const classes = [
  // 2020-12 validation 6.5.3, 6.5.4: ajv keeps the missing name in a variable and takes '' for none.
  ['empty name in required', text => /"(required|dependentRequired)":.*\[[^\]]*""/.test(text)],
  // 2020-12 core 11.2, 11.3: ajv's static analysis counts branches that were not taken as evaluated, and forgets some that were.
  ['unevaluated', text => text.includes('"unevaluated')],
  // 2020-12 core 10.3.1.3: without minContains 0 an empty array has nothing that contains could find.
  ['contains on an empty array', (text, data) => text.includes('"contains"') && data.includes('[]')],
  // 2020-12 core 8.2.3.2: ajv resolves dynamic references where it compiles them.
  ['dynamic reference', text => text.includes('"$dynamicRef"')],
];

async function arbiter(query, number) {
  const uri = `https://differential.example/${number}`;
  try {
    registerSchema(structuredClone(query.schema), uri, query.dialect);
    const output = await judge(uri, JSON.parse(query.instanceText));
    return output.valid ? 'valid' : 'invalid';
  } catch (e) {
    return 'failed: ' + String(e.message).slice(0, 100);
  } finally {
    unregisterSchema(uri);
  }
}

const rows = [];
while (rows.length < count) {
  const draft = pick(['2020', '7']);
  const root = schema(3, draft);
  const s = typeof root === 'object'
    ? { ...root, definitions: { r: schema(2, draft), named: named(draft) } }
    : root;
  if (typeof s === 'object' && draft === '2020') {
    s.definitions.dynamic = { type: pick(['object', 'array', 'integer', 'string']), $dynamicAnchor: 'dynamic' };
  }
  const options = { strict: false, validateFormats: false, logger: false, allErrors: false };
  const ajv = draft === '2020' ? new Ajv2020(options) : new Ajv(options);
  let validate;
  try { validate = ajv.compile(s); } catch { validate = null; }
  for (let i = 0; i < 5 && rows.length < count; i++) {
    const data = instance(3);
    let expected;
    try { expected = validate === null ? 'refused' : validate(data) ? 'valid' : 'invalid'; } catch { expected = 'failed'; }
    rows.push({ expected, query: { id: rows.length, schema: s, instanceText: JSON.stringify(data), dialect: draft === '2020' ? 'https://json-schema.org/draft/2020-12/schema' : 'http://json-schema.org/draft-07/schema#' } });
  }
}

const run = spawnSync(command[0], [...command.slice(1), 'explain', 'schema'], { input: rows.map(r => JSON.stringify(r.query)).join('\n') + '\n', encoding: 'utf8', maxBuffer: 1 << 30 });
const answers = run.stdout.split('\n').filter(line => line).map(line => JSON.parse(line));
const tally = {};
const kept = [];
let bad = answers.length === rows.length ? 0 : 1;
for (const [i, row] of rows.entries()) {
  const actual = answers[i]?.outcome ?? 'none';
  if (row.expected === actual) {
    tally.agree = (tally.agree ?? 0) + 1;
    continue;
  }

  const judged = await arbiter(row.query, i);
  const text = JSON.stringify(row.query.schema);
  const known = row.expected === 'refused' || row.expected === 'failed' ? `ajv ${row.expected}` : classes.find(([, test]) => test(text, row.query.instanceText))?.[0];
  const kind = judged !== actual ? 'DISAGREE' : known ?? 'UNKNOWN CLASS';
  tally[kind] = (tally[kind] ?? 0) + 1;
  kept.push({ name: `${kind} ${i}`, dialect: row.query.dialect, schema: row.query.schema, instance: row.query.instanceText, outcome: actual, ajv: row.expected, arbiter: judged });
  if (kind === 'DISAGREE' || kind === 'UNKNOWN CLASS') {
    bad++;
    if (bad <= 20) console.log(`${kind}: ajv ${row.expected}, second ${judged}, mcp-guard ${actual}: ${JSON.stringify(row.query)} ${JSON.stringify(answers[i])}`);
  }
}

if (keep) writeFileSync(keep, '[\n' + kept.map(pair => JSON.stringify(pair)).join(',\n') + '\n]\n');
console.log(tally);
process.exit(bad ? 1 : 0);
