// Builds the addon and the emulator with CMake and puts them where the package looks for them in a checkout.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(home);
const build = process.env.FLEETAUTH_NODE_BUILD ?? join(root, 'build', 'node');

function run(program, ...args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) console.error(`${program}: ${error.message}`);
  if (status !== 0) process.exit(1);
}

const options = ['-DFLEETAUTH_BUILD_NODE=ON', '-DFLEETAUTH_BUILD_TESTS=OFF', '-DFLEETAUTH_BUILD_TOOLS=ON'];
run(
  'cmake',
  '-S',
  root,
  '-B',
  build,
  '-G',
  'Ninja',
  '-DCMAKE_BUILD_TYPE=RelWithDebInfo',
  '--log-level=WARNING',
  ...options,
);
run('cmake', '--build', build, '--parallel', '2', '--target', 'fleetauth_node', 'fleetauth-emulator', '--', '--quiet');

mkdirSync(join(home, 'build'), { recursive: true });
const built = { 'fleetauth.node': 'node/fleetauth.node', 'fleetauth-emulator': 'tools/emulator/fleetauth-emulator' };
for (const [name, path] of Object.entries(built)) {
  const link = join(home, 'build', name);
  rmSync(link, { force: true });
  symlinkSync(join(build, path), link);
}
