import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';

const HOME = resolve(__dirname, '..', '..');
const PLATFORM = `${process.platform}-${process.arch}-gnu`;
let project: string;

before(() => {
  project = mkdtempSync(join(tmpdir(), 'fleetauth-package-'));
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', project], {
    cwd: HOME,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  mkdirSync(join(project, 'node_modules'));
  execFileSync('tar', ['-xzf', join(project, filename), '-C', join(project, 'node_modules')]);
  execFileSync('mv', [join(project, 'node_modules', 'package'), join(project, 'node_modules', 'fleetauth')]);
  // What npm installs beside it as the optional dependency for this platform.
  const native = join(project, 'node_modules', '@fleetauth', PLATFORM);
  mkdirSync(native, { recursive: true });
  copyFileSync(realpathSync(join(HOME, 'build', 'fleetauth.node')), join(native, 'fleetauth.node'));
  writeFileSync(
    join(native, 'package.json'),
    JSON.stringify({ name: `@fleetauth/${PLATFORM}`, version: '0.1.0', main: 'fleetauth.node' }),
  );
});
after(() => {
  rmSync(project, { recursive: true });
});

function node(file: string, code: string, env: NodeJS.ProcessEnv = {}): { output: string; status: number | null } {
  writeFileSync(join(project, file), code);
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(project, file)], {
    env: { ...process.env, FLEETAUTH_NODE_NATIVE: '', ...env },
    encoding: 'utf8',
  });
  return { output: stdout + stderr, status };
}

describe('the installed package', () => {
  test('is one and the same for import and require', () => {
    const { output } = node(
      'both.mjs',
      `import { createRequire } from 'node:module';
       import * as esm from 'fleetauth';
       import { Emulator } from 'fleetauth/testing';
       const cjs = createRequire(import.meta.url)('fleetauth');
       const missing = Object.keys(cjs).filter((name) => esm[name] !== cjs[name]);
       console.log(missing.length, typeof esm.FleetUp, typeof Emulator.start, esm.version() === cjs.version());`,
    );
    assert.equal(output, '0 function function true\n');
  });

  test('holds neither sources nor tests', () => {
    const home = join(project, 'node_modules', 'fleetauth');
    for (const name of ['src', 'test', 'build', 'scripts']) assert.ok(!existsSync(join(home, name)), name);
    for (const name of ['README.md', 'LICENSE', 'dist/index.d.ts', 'dist/index.d.mts'])
      assert.ok(existsSync(join(home, name)), name);
  });

  test('has types for ESM and CJS', () => {
    const options = {
      module: 'node16',
      target: 'es2022',
      strict: true,
      noEmit: true,
      types: ['node'],
      skipLibCheck: false,
    };
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: ['use.mts', 'use.cts'] }),
    );
    const use = `
      const client = new FleetUp({ apiKey: 'k', acctId: 1, secret: new Uint8Array(1), scheme: 'jwt' });
      export const headers: Promise<Readonly<Record<string, string>>> = client.headers('https://api.fleetup.net/', { api: 'api' });
      export const code: ErrorCode = 'FLEETAUTH_E_RATE_LIMITED';
      // @ts-expect-error the account is a number
      new FleetUp({ apiKey: 'k', acctId: '1', secret: 's' });
      // @ts-expect-error the secret is missing
      new FleetUp({ apiKey: 'k', acctId: 1 });
      // @ts-expect-error there is no such scheme
      new FleetUp({ apiKey: 'k', acctId: 1, secret: 's', scheme: 'basic' });
      new Client('another', { any_parameter: 1 });
      const reseller = new TrimbleMaps({ apiKey: 'k', maxTokens: 10 });
      export const ids: Promise<string[]> = reseller.accounts().then((list) => list.map(({ id }) => id));
      export const token: Promise<Token> = reseller.token({ account: 'a' });
      export const role: Promise<string | undefined> = client.whoami().then(({ role }) => role);
      export const answer = (error: OtpRequired) => error.challenge && client.answer(error.challenge, '123456');
      const engine = new FleetEngine({ serviceAccountFile: 'key.json', claimSet: 'server' });
      export const minted: Promise<Token>[] = [
        engine.mint('driver', { vehicleid: 'v1' }),
        engine.mint({ taskids: ['k1', 'k2'] }),
        engine.mint(),
      ];
      export const clients: Client[] = [engine, client, reseller];
      void client.fetch('https://api.fleetup.net/', { claimSet: 'driver', claims: { vehicleid: 'v1' } });
      const signer: Signer = (data, { keyId, signal }) => Promise.resolve(signal.aborted ? data : Buffer.from(keyId));
      new FleetEngineDevice({ backendBaseUrl: 'https://fleet.example', signer });
      // @ts-expect-error there is no such claim set
      void engine.mint('drivr', { vehicleid: 'v1' });
      // @ts-expect-error there is no such claim
      void engine.mint('driver', { vehicleId: 'v1' });
      // @ts-expect-error one id
      void engine.mint('driver', { vehicleid: ['v1'] });
      // @ts-expect-error that claim set takes ids
      new FleetEngine({ claimSet: 'driver' });
      // @ts-expect-error the account is text
      void reseller.token({ account: 1 });
      // @ts-expect-error the key is bytes
      export const sealed: (challenge: Challenge) => Uint8Array = (challenge) => client.sealChallenge(challenge, 'key');`;
    const types = ['Challenge', 'ErrorCode', 'OtpRequired', 'Signer', 'Token'].map((name) => `type ${name}`);
    const classes = ['Client', 'FleetEngine', 'FleetEngineDevice', 'FleetUp', 'TrimbleMaps'];
    const imports = `import { ${[...types, ...classes].join(', ')} }`;
    writeFileSync(join(project, 'use.mts'), `${imports} from 'fleetauth';${use}`);
    writeFileSync(join(project, 'use.cts'), `${imports} from 'fleetauth';${use}`);
    const installed = join(project, 'node_modules', '@types');
    mkdirSync(installed, { recursive: true });
    for (const name of ['node']) symlinkSync(join(HOME, 'node_modules', '@types', name), join(installed, name));
    const tsc = join(HOME, 'node_modules', 'typescript', 'bin', 'tsc');
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });

  test('says what to do when there is no addon for the platform', () => {
    const { output, status } = node('missing.cjs', `require('fleetauth').version()`, {
      FLEETAUTH_NODE_NATIVE: '/nowhere',
    });
    assert.notEqual(status, 0);
    assert.match(output, /no native addon for/);
    assert.match(output, /\/nowhere\/fleetauth\.node: Cannot find module/);
    assert.match(
      node('lazy.cjs', `require('fleetauth'); console.log('loaded')`, { FLEETAUTH_NODE_NATIVE: '/nowhere' }).output,
      /^loaded/,
    );
  });

  test('shows only what a Node addon needs to show', () => {
    const addon = realpathSync(join(HOME, 'build', 'fleetauth.node'));
    const names = execFileSync('nm', ['-D', '--defined-only', '--format=posix', addon], { encoding: 'utf8' });
    const symbols = names
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(/[@ ]/, 1)[0]);
    assert.deepEqual(symbols.sort(), ['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
    assert.match(execFileSync('readelf', ['-d', addon], { encoding: 'utf8' }), /NODELETE/);
  });
});
