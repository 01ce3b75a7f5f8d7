import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';

import { useEmulator } from './support';

const fixture = useEmulator();

// The secret comes by a pipe and is never a string. What the program prints says how far it is; a byte lets it go on.
const PROGRAM = `
  const fs = require('node:fs');
  const { FleetUp, Runtime } = require(${JSON.stringify(require.resolve('fleetauth'))});
  const [options, snapshot] = JSON.parse(process.argv[1]);
  const secret = new Uint8Array(32);
  const told = (what) => { fs.writeSync(1, what + '\\n'); fs.readSync(0, new Uint8Array(1)); };
  fs.readSync(0, secret);
  (async () => {
    const runtime = new Runtime();
    let client = new FleetUp({ ...options, secret, runtime });
    let token = await client.token();
    token.revealBytes().fill(0);
    told('held');
    secret.fill(0);
    await client.close();
    await runtime.close();
    client = token = undefined;
    for (let round = 0; round < 5; ++round) {
      globalThis.gc();
      await new Promise(setImmediate); // what was collected is released then
    }
    require('node:v8').writeHeapSnapshot(snapshot);
    told('released');
  })();`;

/** How often the bytes stand in the memory of a process. */
function copies(process: number, secret: Buffer): number {
  const memory = openSync(`/proc/${process}/mem`, 'r');
  let found = 0;
  for (const line of readFileSync(`/proc/${process}/maps`, 'latin1').split('\n')) {
    const [, begin, end] = /^([0-9a-f]+)-([0-9a-f]+) r.*(?<!\[v\w+\])$/.exec(line) ?? [];
    if (begin !== undefined && end !== undefined)
      found += copiesIn(memory, BigInt(`0x${begin}`), BigInt(`0x${end}`), secret);
  }
  closeSync(memory);
  return found;
}

function copiesIn(memory: number, begin: bigint, end: bigint, secret: Buffer): number {
  const step = 1 << 22;
  const chunk = Buffer.alloc(step + secret.length - 1);
  let found = 0;
  for (let at = begin; at < end; at += BigInt(step)) {
    const wanted = end - at < BigInt(chunk.length) ? Number(end - at) : chunk.length;
    let got = 0;
    try {
      got = readSync(memory, chunk, 0, wanted, at);
    } catch {
      return found; // a file that is shorter than its mapping
    }
    for (let place = -1; (place = chunk.subarray(0, got).indexOf(secret, place + 1)) >= 0;) ++found;
  }
  return found;
}

describe('the memory of a process', () => {
  test('L04 holds nothing of a buffer that was wiped, of the token that was, nor does a heap snapshot', async (context) => {
    const secret = Buffer.from(randomBytes(16).toString('hex'));
    const token = Buffer.from(randomBytes(16).toString('hex'));
    const match = { provider: 'fleetup', path: '/fleetup/token' };
    await fixture.emulator.faults({ match, times: 1, do: { status: 200, body: { token: token.toString() } } });
    const folder = mkdtempSync(join(tmpdir(), 'fleetauth-'));
    context.after(() => {
      rmSync(folder, { recursive: true });
    });
    const snapshot = join(folder, 'snapshot');
    const options = { apiKey: 'key', acctId: 1, ...fixture.emulator.options('fleetup') };
    const words = ['--expose-gc', '-e', PROGRAM, JSON.stringify([options, snapshot])];
    const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    context.after(() => child.kill());
    const ended = new Promise((resolve) => child.once('close', resolve));
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    assert.ok(child.pid !== undefined);
    child.stdin.write(secret);
    assert.deepEqual(await lines.next(), { value: 'held', done: false });
    assert.ok(copies(child.pid, secret) >= 2, "the buffer and the client's own");
    assert.ok(copies(child.pid, token) >= 1, "the client's own");
    child.stdin.write('.');
    assert.deepEqual(await lines.next(), { value: 'released', done: false });
    assert.deepEqual([copies(child.pid, secret), copies(child.pid, token)], [0, 0]);
    const snapped = readFileSync(snapshot);
    assert.ok(snapped.includes('FleetUp'), 'the heap was written');
    assert.ok(!snapped.includes(secret) && !snapped.includes(token));
    child.stdin.end('.');
    assert.equal(await ended, 0);
  });
});
