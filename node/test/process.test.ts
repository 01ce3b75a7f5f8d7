import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';

import { Client } from 'fleetauth';

import { FLEETUP, useEmulator } from './support';

const fixture = useEmulator();
const PACKAGE = JSON.stringify(require.resolve('fleetauth'));

/** The start of a program with a client that talks to the emulator. */
function prologue(): string {
  const options = JSON.stringify({ ...FLEETUP, ...fixture.emulator.options('fleetup') });
  return `
    const { FleetUp } = require(${PACKAGE});
    const client = new FleetUp(${options});
    const url = ${JSON.stringify(fixture.emulator.baseUrl('fleetup') + '/devices')};
  `;
}

/** How often processes and workers end with requests in flight; FLEETAUTH_EXITS asks for more. */
const EXITS = Number(process.env.FLEETAUTH_EXITS ?? '10');

/** Less than the 15 s of a request that nobody answers, and plenty on a busy machine. */
const WITHOUT_WAITING_MS = 10_000;

interface Ended {
  code: number | null;
  signal: string | null;
  output: string;
  /** From the last that it printed to its end. */
  leavingMs: number;
}

/** Runs a program in a process of its own and waits for its end. */
function run(program: string, environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(process.execPath, ['-e', prologue() + program], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
    timeout: 20_000 + 500 * EXITS,
  });
  let output = '';
  let last = performance.now();
  for (const pipe of [child.stdout, child.stderr]) {
    pipe.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      last = performance.now();
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const end = performance.now();
      resolve({ code, signal, output, leavingMs: end - last });
    });
  });
}

const hold = { match: { provider: 'fleetup', path: '/fleetup/token' }, times: 1000, do: { hold: 'exit' } };

describe('a process', () => {
  test('stays alive for an operation in flight and ends by itself afterwards', async () => {
    await fixture.emulator.faults({ ...hold, times: 1, do: { delay_ms: 200 } });
    const ended = await run(`client.token().then((token) => console.log(token.kind));`);
    assert.deepEqual({ code: ended.code, output: ended.output }, { code: 0, output: 'bearer\n' });
  });

  test('is not kept alive by an idle client', async () => {
    const ended = await run(
      `client.token().then(() => client.headers(url)).then((h) => console.log(Object.keys(h).length));`,
    );
    assert.deepEqual({ code: ended.code, output: ended.output }, { code: 0, output: '2\n' });
    assert.ok(ended.leavingMs < 8_000, `${ended.leavingMs} ms, and 10 s until the library's thread has nothing to do`);
  });

  test('is not kept alive by a client that is closed after its runtime', async () => {
    const ended = await run(`
      const { Runtime } = require(${PACKAGE});
      (async () => {
        const runtime = new Runtime();
        const transport = () => ({ status: 200, headers: [['content-type', 'application/json']], body: '{"token":"t"}' });
        const mine = new FleetUp({ apiKey: 'k', acctId: 1, secret: 's', transport, runtime });
        await mine.token();
        await runtime.close();
        await new Promise(setImmediate);
        await mine.close();
        console.log('closed');
      })();`);
    assert.deepEqual({ code: ended.code, output: ended.output }, { code: 0, output: 'closed\n' });
  });

  test('P05 P07 may exit with requests in flight', async () => {
    await fixture.emulator.faults(hold);
    const ways = [
      `setTimeout(exit, 50);`,
      `process.nextTick(exit);`,
      `exit();`,
      `setTimeout(() => { client.close(); exit(); }, 50);`,
      `process.on('unhandledRejection', exit); setTimeout(() => client.close(), 20);`,
    ];
    for (let round = 0; round < EXITS; ++round) {
      const way = ways[round % ways.length] ?? '';
      const ended = await run(`
        const exit = () => { require('node:fs').writeSync(1, 'leaving'); process.exit(7); };
        for (let n = 0; n < 50; ++n) void client.token(); ${way}`);
      assert.deepEqual(
        { code: ended.code, signal: ended.signal, output: ended.output },
        { code: 7, signal: null, output: 'leaving' },
        way,
      );
      assert.ok(ended.leavingMs < WITHOUT_WAITING_MS, `${ended.leavingMs} ms for ${way}`);
    }
    await fixture.emulator.release('exit');
  });

  test('P07 may terminate workers with requests in flight', async () => {
    await fixture.emulator.faults(hold);
    const worker = `${prologue()}
      for (let n = 0; n < 20; ++n) client.token().catch(() => undefined);
      require('node:worker_threads').parentPort.postMessage('started');`;
    const ended = await run(`
      const { Worker } = require('node:worker_threads');
      (async () => {
        for (let round = 0; round < ${EXITS}; ++round) {
          const worker = new Worker(${JSON.stringify(worker)}, { eval: true });
          if (round % 3 > 0) await new Promise((resolve) => worker.once('message', resolve));
          if (round % 3 > 1) await new Promise((resolve) => setTimeout(resolve, 5));
          await worker.terminate();
        }
        console.log('all ended');
        process.exit(0);
      })();`);
    assert.deepEqual(
      { code: ended.code, signal: ended.signal, output: ended.output },
      { code: 0, signal: null, output: 'all ended\n' },
    );
    await fixture.emulator.release('exit');
  });

  test('P07 may end workers from within while events arrive', async () => {
    const worker = `${prologue()}
      const transport = () => ({ status: 200, headers: [['content-type', 'application/json']], body: '{"token":"t"}' });
      const { workerData } = require('node:worker_threads');
      for (let n = 0; n < 30; ++n) {
        new FleetUp({ apiKey: 'k' + workerData + n, acctId: n, secret: 's', transport }).token().catch(() => undefined);
      }
      setTimeout(() => process.exit(0), workerData % 4);`;
    const ended = await run(`
      const { Worker } = require('node:worker_threads');
      (async () => {
        for (let round = 0; round < ${Math.ceil(EXITS / 2)}; ++round) {
          const workers = [0, 1, 2, 3].map((n) => new Worker(${JSON.stringify(worker)}, { eval: true, workerData: round * 4 + n }));
          await Promise.all(workers.map((one) => new Promise((resolve, reject) => one.once('exit', resolve).once('error', reject))));
        }
        console.log('all ended');
      })();`);
    assert.deepEqual(
      { code: ended.code, signal: ended.signal, output: ended.output },
      { code: 0, signal: null, output: 'all ended\n' },
    );
  });

  test('L06 leaves the key log empty', async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'fleetauth-'));
    context.after(() => {
      rmSync(folder, { recursive: true });
    });
    const log = join(folder, 'keys');
    const ended = await run(`client.token().then((token) => console.log(token.kind));`, { SSLKEYLOGFILE: log });
    assert.deepEqual({ code: ended.code, output: ended.output }, { code: 0, output: 'bearer\n' });
    assert.ok(!existsSync(log) || readFileSync(log).length === 0);
  });

  test('shares tokens among its workers', async () => {
    // A token is forgotten with the last client that has a use for it.
    await using client = new Client('fleetup', { ...FLEETUP, ...fixture.emulator.options('fleetup') });
    const worker = `${prologue()}
      client.token().then((token) => require('node:worker_threads').parentPort.postMessage(token.fingerprint));`;
    const answers = await Promise.all(
      [1, 2, 3, 4].map(
        () =>
          new Promise<string>((resolve, reject) => {
            new Worker(worker, { eval: true }).once('message', resolve).once('error', reject);
          }),
      ),
    );
    assert.equal(new Set(answers).size, 1);
    assert.equal((await fixture.emulator.log({ endpoint: '/fleetup/token' })).length, 1);
    assert.equal((await client.token()).fingerprint, answers[0]);
  });
});
