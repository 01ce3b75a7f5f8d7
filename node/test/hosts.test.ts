import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';

import { fetchTransport, nodeTransport, STATUS_TABLE, TransportError } from 'fleetauth';
import type { HttpCall, Transport } from 'fleetauth';

// The table that all host transports are held to; tests/hosts/README.md describes it.
const FOLDER = resolve(__dirname, '..', '..', '..', 'tests', 'hosts');
const TABLE = JSON.parse(readFileSync(resolve(FOLDER, 'cases.json'), 'utf8')) as {
  environment: Record<string, string>;
  cases: { name: string }[];
};
Object.assign(process.env, TABLE.environment);

interface Call {
  method: string;
  url: string;
  headers: [string, string][];
  body: string;
  timeout_ms: number;
  max_body: number;
  one_shot: boolean;
  cancel: boolean;
}
type Outcome = { status: number; headers: [string, string][]; body: string } | { failure: string; cause?: string };

const server = spawn('python3', [resolve(FOLDER, 'server.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface(server.stdout)[Symbol.asyncIterator]();
after(() => {
  server.stdin.end();
});

async function ask(question: object): Promise<{ call?: Call; problems?: string[] }> {
  server.stdin.write(`${JSON.stringify(question)}\n`);
  return JSON.parse((await answers.next()).value as string) as { call?: Call; problems?: string[] };
}

/** Sends a call as the library does: it aborts the signal at the deadline, and when the body has become too large. */
async function send(transport: Transport, given: Call): Promise<Outcome> {
  const abort = new AbortController();
  const deadline = setTimeout(() => {
    abort.abort();
  }, given.timeout_ms);
  const call: HttpCall = {
    method: given.method,
    url: given.url,
    headers: given.headers,
    body: Buffer.from(given.body, 'base64'),
    timeoutMs: given.timeout_ms,
    maxBody: given.max_body,
    oneShot: given.one_shot,
    signal: abort.signal,
  };
  const outcome = answerOf(transport, call, abort);
  if (given.cancel) {
    assert.deepEqual(await ask({ await_cancel: true }), {});
    abort.abort();
  }
  const reported = await outcome;
  clearTimeout(deadline);
  return given.cancel && 'failure' in reported ? { failure: 'cancelled' } : reported;
}

async function answerOf(transport: Transport, call: HttpCall, abort: AbortController): Promise<Outcome> {
  try {
    const { status, headers, body } = await transport(call);
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of (body as AsyncIterable<Uint8Array> | null) ?? []) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > call.maxBody) throw new TransportError('E_TOO_LARGE', 'maxBody');
    }
    const pairs = Array.from(headers, ([name, value]): [string, string] => [name, value]);
    return { status, headers: pairs, body: Buffer.concat(chunks).toString('base64') };
  } catch (error) {
    abort.abort();
    if (!(error instanceof TransportError)) throw error;
    const { code } = STATUS_TABLE.get(error.status) ?? assert.fail();
    return { failure: code.slice('FLEETAUTH_E_'.length).toLowerCase(), cause: String(error.cause) };
  }
}

const adapters: [name: string, make: () => Transport, cannot: string[]][] = [
  ['nodeTransport', nodeTransport, []],
  ['fetchTransport', fetchTransport, ['raw', 'connecting']],
];
for (const [name, make, cannot] of adapters) {
  describe(name, () => {
    for (const { name: play } of TABLE.cases) {
      test(play, async () => {
        const transport = make();
        let answer = await ask({ play, cannot });
        while (answer.call) answer = await ask({ outcome: await send(transport, answer.call) });
        assert.deepEqual(answer, { problems: [] });
      });
    }
  });
}
