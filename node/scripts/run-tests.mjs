// Runs the tests, or those files that are named, in node:test.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const compiled = join(home, 'build', 'test');

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: home, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

run(join(home, 'node_modules', 'typescript', 'bin', 'tsc'), '--project', join(home, 'test'));
const named = process.argv.slice(2).map((name) => `${name}.test.js`);
const files = named.length > 0 ? named : readdirSync(compiled).filter((name) => /\.test\.m?js$/.test(name));
// The files share the machine's few cores with an emulator each.
run('--expose-gc', '--test', '--test-concurrency=2', ...files.map((name) => join(compiled, name)));
