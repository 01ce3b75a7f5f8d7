import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

import {
  FleetAuthError,
  fetchTransport,
  FleetUp,
  ManualClock,
  NetworkError,
  nodeTransport,
  Runtime,
  Status,
  TimeoutError,
  TransportError,
} from 'fleetauth';
import type { HttpCall, Transport } from 'fleetauth';

import { assertSilent, canary } from './canaries';
import { rejection } from './support';

const TOKEN = canary('token');
const BODY = JSON.stringify({ token: TOKEN });
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
const CHUNK = `${BODY.length.toString(16)}\r\n${BODY}\r\n`;
const UNENDING = `${HEAD}Content-Length: ${BODY.length + 1}\r\n\r\n${BODY}`;

/** What a provider sends before it hangs up. */
const ANSWERS: Record<string, string> = {
  'no answer': '',
  'a status line that is none': `${BODY}\r\n\r\n`,
  'a header that is none': `${HEAD}not a header\r\nX-Token: ${TOKEN}\r\n\r\n${BODY}`,
  'a length that is none': `${HEAD}Content-Length: ${TOKEN}\r\n\r\n${BODY}`,
  'headers that are cut off': `${HEAD}X-Token: ${TOKEN}\r\n`,
  'headers that are too long': `${HEAD}X-Token: ${TOKEN.repeat(4096)}\r\n\r\n${BODY}`,
  'a first chunk that is none': `${CHUNKED}${BODY}\r\n${BODY}`,
  'a later chunk that is none': `${CHUNKED}${CHUNK}${BODY}\r\n${BODY}`,
  'a body that is cut off': UNENDING,
};

/** A provider that is asked through a transport; what the transport tells is kept. */
class Wire {
  readonly told: unknown[] = [];
  readonly #server = createServer((socket) => {
    this.#answer(socket);
  });
  readonly #sockets = new Set<Socket>();
  #exchanges = 0;

  constructor(
    readonly transport: Transport,
    readonly answer: string,
    readonly hangsUp = true,
  ) {}

  async listen(): Promise<string> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await once(this.#server.close(), 'close');
  }

  /** Whether an exchange is going on that will end by itself. */
  get isBusy(): boolean {
    return this.hangsUp && this.#exchanges > 0;
  }

  readonly send = async (call: HttpCall) => {
    ++this.#exchanges;
    try {
      const { status, headers, body } = await this.transport(call);
      const chunks: Uint8Array[] = [];
      for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
      return { status, headers, body: Buffer.concat(chunks) };
    } catch (error) {
      this.told.push(error);
      throw error;
    } finally {
      --this.#exchanges;
    }
  };

  #answer(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined); // it may be hung up on as well
    socket.once('data', () => {
      if (this.hangsUp) socket.end(this.answer);
      else socket.write(this.answer);
    });
  }
}

/** What comes of asking for a token there, until the library gives up. */
async function ask(wire: Wire, baseUrl: string, scheme: 'jwt' | 'legacy'): Promise<unknown> {
  const clock = new ManualClock(Date.parse('2026-01-01T00:00:00Z'));
  await using runtime = new Runtime({ clock });
  await using client = new FleetUp({
    apiKey: canary('api_key'),
    acctId: 1,
    secret: canary('secret'),
    scheme,
    baseUrl,
    allowLoopbackHttp: true,
    transport: wire.send,
    runtime,
  });
  const failed = rejection(client.token());
  while ((await Promise.race([failed, sleep(20, wire)])) === wire) if (!wire.isBusy) clock.advance(5_000);
  return await failed;
}

const TRANSPORTS: Record<string, Transport> = { nodeTransport: nodeTransport(), fetchTransport: fetchTransport() };

for (const [name, transport] of Object.entries(TRANSPORTS)) {
  // The secret is in the body, or in the URL.
  for (const scheme of ['jwt', 'legacy'] as const) {
    describe(`no secret is shown by ${name} ${scheme} after`, () => {
      for (const [trouble, answer] of Object.entries(ANSWERS)) {
        test(`L03 ${trouble}`, async () => {
          const wire = new Wire(transport, answer);
          expectSilence(wire, await ask(wire, await wire.listen(), scheme), Status.E_NETWORK);
          await wire.close();
        });
      }

      test('L03 an answer that does not end', async () => {
        const wire = new Wire(transport, UNENDING, false);
        expectSilence(wire, await ask(wire, await wire.listen(), scheme), Status.E_NETWORK, TimeoutError);
        await wire.close();
      });

      test('L03 a connection that is refused', async () => {
        const wire = new Wire(transport, '');
        const deserted = await wire.listen();
        await wire.close();
        expectSilence(wire, await ask(wire, deserted, scheme), Status.E_CONNECT);
      });
    });
  }
}

function expectSilence(wire: Wire, error: unknown, status: number, kind: typeof FleetAuthError = NetworkError): void {
  assert.ok(error instanceof kind, inspect(error));
  assertSilent(error, 'the error');
  assert.ok(wire.told.length > 0);
  for (const told of wire.told) {
    assert.ok(told instanceof TransportError, inspect(told));
    assertSilent(told, 'what the transport says');
    assert.equal(told.status, status, told.message);
  }
}
