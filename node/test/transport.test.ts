import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

import {
  Closed,
  FleetUp,
  fetchTransport,
  ManualClock,
  NetworkError,
  nodeTransport,
  ProviderUnavailable,
  Runtime,
  TimeoutError,
  TransportError,
} from 'fleetauth';
import type { HttpCall, Transport } from 'fleetauth';
import { liveHandles } from 'fleetauth/testing';

import { FLEETUP, handlesBackTo, rejection, until } from './support';

const ANSWER = JSON.stringify({ token: 'token-of-the-server' });

/** A server whose behaviour each test writes itself; it counts what it is asked. */
let server: Server;
let url: string;
let handler: (request: IncomingMessage, response: ServerResponse) => void;
const asked: { method: string; path: string; body: string; headers: IncomingMessage['headers'] }[] = [];
const connections = new Set<number | undefined>();

before(async () => {
  server = createServer((request, response) => {
    connections.add(request.socket.remotePort);
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push({ method: request.method ?? '', path: request.url ?? '', body, headers: request.headers });
      handler(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
afterEach(() => {
  asked.length = 0;
  connections.clear();
});

function json(response: ServerResponse): void {
  response.setHeader('content-type', 'application/json');
  response.end(ANSWER);
}

/** What a client with this transport makes of the server. */
async function tokenBy(transport: Transport | undefined, options: object = {}): Promise<string> {
  await using runtime = new Runtime();
  await using client = new FleetUp({
    ...FLEETUP,
    baseUrl: url,
    allowLoopbackHttp: true,
    runtime,
    transport,
    ...options,
  });
  return (await client.token()).reveal();
}

const adapters: [string, Transport][] = [
  ['nodeTransport', nodeTransport()],
  ['fetchTransport', fetchTransport()],
];

for (const [name, transport] of adapters) {
  describe(name, () => {
    test('sends what the library says and nothing else', async () => {
      handler = (_, response) => {
        json(response);
      };
      assert.equal(await tokenBy(transport), 'token-of-the-server');
      assert.equal(asked.length, 1);
      const [request] = asked;
      assert.equal(request?.method, 'POST');
      assert.equal(request.path, '/token');
      assert.deepEqual(JSON.parse(request.body), { acctId: 12345, secret: FLEETUP.secret });
      assert.equal(request.headers['x-api-key'], FLEETUP.apiKey);
      assert.equal(request.headers['content-type'], 'application/json');
    });

    test('does not follow a redirect', async () => {
      handler = (_, response) => response.writeHead(302, { location: `${url}/elsewhere` }).end();
      assert.ok((await rejection(tokenBy(transport))) instanceof ProviderUnavailable);
      assert.deepEqual([...new Set(asked.map(({ path }) => path))], ['/token']);
    });

    test('does not decode an answer', async () => {
      handler = (_, response) => {
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
          .end(gzipSync(ANSWER));
      };
      const error = await rejection(tokenBy(transport));
      assert.ok(error instanceof ProviderUnavailable, String(error));
    });

    test('stops reading an endless answer', async () => {
      let sent = 0;
      handler = (request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const chunk = Buffer.alloc(65_536, ' ');
        const more = () => {
          while (!response.destroyed && response.write(chunk)) sent += chunk.length;
        };
        response.on('drain', more);
        request.socket.on('error', () => undefined);
        more();
      };
      const error = await rejection(tokenBy(transport));
      assert.ok(error instanceof ProviderUnavailable);
      assert.equal(error.code, 'FLEETAUTH_E_TOO_LARGE');
      assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes were taken`);
    });

    test('N10 repeats nothing by itself when the connection breaks after the request', async () => {
      handler = (request) => request.socket.destroy();
      const error = await rejection(tokenBy(transport, { totalTimeoutMs: 400 }));
      assert.ok(error instanceof NetworkError || error instanceof TimeoutError, String(error));
      // The library may repeat an idempotent step; every attempt of it is one request here.
      const byLibrary = asked.length;
      asked.length = 0;
      const call = { ...(await capture()), signal: new AbortController().signal };
      await assert.rejects(async () => transport(call), TransportError);
      assert.equal(asked.length, 1);
      assert.ok(byLibrary >= 1);
    });

    test('says whether the request may have been sent', async () => {
      const call = { ...(await capture()), signal: new AbortController().signal };
      const failure = (target: string) =>
        rejection(Promise.resolve(transport({ ...call, url: target }))) as Promise<TransportError>;
      assert.equal((await failure(await deserted())).status, 32);
      assert.equal((await failure('http://name.invalid/token')).status, 31);
      handler = (request) => request.socket.destroy();
      assert.equal((await failure(`${url}/token`)).status, 30);
    });

    test('ends the exchange when nobody waits any more', async () => {
      let gone = false;
      handler = (request) => request.socket.on('close', () => (gone = true));
      const error = await rejection(tokenBy(transport, { totalTimeoutMs: 100 }));
      assert.ok(error instanceof TimeoutError);
      await until(() => gone, 'the connection to end');
    });
  });
}

/** A URL where nobody listens. */
async function deserted(): Promise<string> {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  await new Promise((resolve) => other.close(resolve));
  return `http://127.0.0.1:${port}/token`;
}

/** A call as transports get it. */
async function capture(): Promise<HttpCall> {
  let seen: HttpCall | undefined;
  await rejection(
    tokenBy((call) => {
      seen = { ...call, body: Uint8Array.from(call.body) };
      throw new Error('seen');
    }),
  );
  assert.ok(seen);
  return seen;
}

describe('a transport of the caller', () => {
  test('T23 throws, and that very object comes out at every caller', async () => {
    const thrown = new RangeError('mine');
    await using runtime = new Runtime();
    const transport = () => {
      throw thrown;
    };
    await using client = new FleetUp({ ...FLEETUP, runtime, transport });
    const waiting = [client.token(), client.headers('https://api.fleetup.net/devices')];
    for (const promise of waiting) assert.equal(await rejection(promise), thrown);
  });

  test('may throw anything', async () => {
    for (const thrown of ['a string', undefined, 0, { some: 'object' }] as unknown[]) {
      await using runtime = new Runtime();
      const transport = () => {
        throw thrown;
      };
      await using client = new FleetUp({ ...FLEETUP, runtime, transport });
      assert.equal(await rejection(client.token()), thrown);
    }
  });

  test('says with a TransportError what failed, and its cause is kept', async () => {
    const cause = new Error('the radio is off');
    const error = await rejection(
      tokenBy(() => {
        throw new TransportError('E_TLS', 'no-way-out', { cause });
      }),
    );
    assert.ok(error instanceof NetworkError, String(error));
    assert.equal(error.code, 'FLEETAUTH_E_TLS');
    assert.equal(error.cause, cause);
    assert.match(error.message, /no-way-out/);
  });

  test('answers with bytes, text, iterables or nothing', async () => {
    const bytes = Buffer.from(ANSWER);
    async function* slowly() {
      for (const byte of bytes) yield await Promise.resolve(Uint8Array.of(byte));
    }
    for (const body of [bytes, ANSWER, [bytes.subarray(0, 3), bytes.subarray(3)], slowly()]) {
      const headers = [['Content-Type', 'application/json']] as const;
      assert.equal(await tokenBy(() => ({ status: 200, headers, body })), 'token-of-the-server');
    }
    const empty = await rejection(tokenBy(() => ({ status: 200, headers: [], body: null })));
    assert.ok(empty instanceof ProviderUnavailable);
  });

  test('is told when its answer is no longer wanted', async () => {
    const signals: AbortSignal[] = [];
    await using runtime = new Runtime();
    const never = (call: HttpCall) => {
      signals.push(call.signal);
      return new Promise<never>(() => undefined);
    };
    const client = new FleetUp({ ...FLEETUP, runtime, transport: never });
    const waiting = rejection(client.token());
    await until(() => signals.length === 1, 'the call');
    await client.close();
    assert.ok((await waiting) instanceof Closed);
    assert.equal(signals[0]?.aborted, true);
  });

  test('P11 closes the client and the runtime that called it', async () => {
    const runtime = new Runtime();
    const closings: Promise<void>[] = [];
    const transport = () => {
      closings.push(client.close(), runtime.close());
      return { status: 200, headers: [['content-type', 'application/json']] as const, body: ANSWER };
    };
    const client = new FleetUp({ ...FLEETUP, runtime, transport });
    assert.ok((await rejection(client.token())) instanceof Closed);
    await Promise.all(closings);
  });

  test('may never answer, and is given up at the deadline, not when its promise is collected', async () => {
    const clock = new ManualClock(new Date());
    await using runtime = new Runtime({ clock });
    const calls: { timeoutMs: number; signal: AbortSignal }[] = [];
    const never = ({ timeoutMs, signal }: HttpCall) => {
      calls.push({ timeoutMs, signal });
      return new Promise<never>(() => undefined);
    };
    await using client = new FleetUp({ ...FLEETUP, runtime, transport: never });
    let failed = false;
    const waiting = rejection(client.token()).finally(() => (failed = true));
    await until(() => calls.length === 1, 'the call');
    for (let turn = 0; turn < 5; ++turn) {
      globalThis.gc?.();
      await nextTurn();
    }
    assert.equal(failed, false);
    const [{ timeoutMs, signal } = assert.fail()] = calls;
    clock.advance(timeoutMs);
    await until(() => signal.aborted, 'the cancellation');
    clock.advance(60_000);
    assert.ok((await waiting) instanceof TimeoutError);
  });

  test('may answer with a status that is none', async () => {
    const error = await rejection(tokenBy(() => ({ status: 7, headers: [], body: null }), { totalTimeoutMs: 300 }));
    assert.match(String(error), /http_status must be from 100 to 599/);
  });
});

test('a transport leaves nothing behind', async () => {
  handler = (_, response) => {
    json(response);
  };
  await tokenBy(nodeTransport());
  globalThis.gc?.();
  const before = liveHandles();
  for (let round = 0; round < 10; ++round) {
    await tokenBy(nodeTransport());
    await rejection(
      tokenBy(() => {
        throw new Error('no');
      }),
    );
  }
  await handlesBackTo(before);
});
