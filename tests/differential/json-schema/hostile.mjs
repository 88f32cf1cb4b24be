// Runs each hostile case in a process of its own and holds it to its `maxMs`, as the explain output tells it (compilation and validation, code cold).
//
//   node hostile.mjs FOLDER -- COMMAND [ARG ...]
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const split = process.argv.indexOf('--');
const command = process.argv.slice(split + 1);
if (split !== 3 || command.length === 0) {
  console.error('usage: node hostile.mjs FOLDER -- COMMAND [ARG ...]');
  process.exit(2);
}

const folder = process.argv[2];
const fields = ['schema', 'schemaText', 'schemaBase64', 'instanceText', 'instanceBase64', 'kind', 'mcpVersion', 'dialect'];
const results = [];
for (const file of readdirSync(folder).filter(name => name.endsWith('.json')).sort()) {
  const test = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const query = Object.fromEntries(fields.filter(field => field in test).map(field => [field, test[field]]));
  if ('instance' in test) query.instanceText = JSON.stringify(test.instance);
  const run = spawnSync(command[0], [...command.slice(1), 'explain', 'schema'], { input: JSON.stringify({ id: 1, ...query }) + '\n', encoding: 'utf8', timeout: 60_000 });
  const answer = run.stdout ? JSON.parse(run.stdout) : { outcome: 'none' };
  results.push({ file, ms: answer.ms ?? Infinity, maxMs: test.maxMs, good: answer.ms <= test.maxMs && test.allowed.includes(answer.outcome), outcome: answer.outcome });
}

const failed = results.filter(result => !result.good);
const worst = results.reduce((a, b) => a.ms / a.maxMs > b.ms / b.maxMs ? a : b);
for (const { file, ms, maxMs, outcome } of failed) console.log(`FAILED ${file}: ${outcome} after ${ms} ms of ${maxMs}`);
console.log(`${results.length} cases, ${failed.length} failed; the worst is ${worst.file}: ${worst.ms} ms of ${worst.maxMs}`);
process.exit(failed.length || results.length === 0 ? 1 : 0);
