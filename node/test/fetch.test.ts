import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';

import { ConfigurationError, FleetUp } from 'fleetauth';

import { FLEETUP, rejection } from './support';

/** A provider that accepts the newest token alone; `revoked` makes it want another one. */
let server: Server;
let url: string;
let tokens = 0;
let accepted = '';
let revoked = 0;
const asked: { method: string; path: string; body: string; headers: IncomingMessage['headers'] }[] = [];

function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
  const { method = '', url: path = '', headers } = request;
  if (path === '/token') {
    accepted = `token-${++tokens}`;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ token: accepted }));
    return;
  }
  asked.push({ method, path, body, headers });
  const good = headers.authorization === `Bearer ${accepted}` && revoked === 0;
  if (revoked > 0) --revoked;
  if (!good) response.writeHead(401).end('refused');
  else if (path === '/moved') response.writeHead(302, { location: '/devices' }).end();
  else response.end('[]');
}

before(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      answer(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked.length = 0;
  revoked = 0;
});

async function withClient(run: (client: FleetUp) => Promise<void>): Promise<void> {
  await using client = new FleetUp({ ...FLEETUP, baseUrl: url, allowLoopbackHttp: true });
  await run(client);
}

describe('client.fetch', () => {
  test('adds the headers to those of the caller', () =>
    withClient(async (client) => {
      const response = await client.fetch(`${url}/devices`, { headers: { 'X-Mine': '1', authorization: 'none' } });
      assert.equal(response.status, 200);
      assert.equal(asked[0]?.headers['x-mine'], '1');
      assert.equal(asked[0].headers.authorization, `Bearer ${accepted}`);
      assert.equal(asked[0].headers['x-api-key'], FLEETUP.apiKey);
    }));

  test('takes URLs and Requests', () =>
    withClient(async (client) => {
      assert.equal((await client.fetch(new URL(`${url}/devices`))).status, 200);
      const request = new Request(`${url}/devices`, { method: 'POST', body: 'text', headers: { 'X-Mine': '2' } });
      assert.equal((await client.fetch(request)).status, 200);
      assert.deepEqual(
        asked.map(({ method, body, headers }) => [method, body, headers['x-mine']]),
        [
          ['GET', '', undefined],
          ['POST', 'text', '2'],
        ],
      );
    }));

  for (const [kind, body] of [
    ['text', 'hello'],
    ['bytes', Buffer.from('hello')],
    ['a form', new URLSearchParams({ hello: '' })],
    ['a blob', new Blob(['hello'])],
  ] as const) {
    test(`H08 sends a body of ${kind} again after a 401`, () =>
      withClient(async (client) => {
        revoked = 1;
        const before = tokens;
        const response = await client.fetch(`${url}/devices`, { method: 'POST', body });
        assert.equal(response.status, 200);
        assert.deepEqual(
          asked.map((one) => one.body.replace('=', '')),
          ['hello', 'hello'],
        );
        assert.ok(tokens - before <= 2);
      }));
  }

  test('H08 does not repeat a request whose body was a stream', () =>
    withClient(async (client) => {
      revoked = 1;
      const body = new Blob(['hello']).stream();
      const response = await client.fetch(`${url}/devices`, { method: 'POST', body, duplex: 'half' });
      assert.equal(response.status, 401);
      assert.equal(await response.text(), 'refused');
      assert.equal(asked.length, 1);
      assert.equal((await client.fetch(`${url}/devices`)).status, 200, 'the token was renewed all the same');
    }));

  test('H08 gives up when a fresh token is refused, too', () =>
    withClient(async (client) => {
      revoked = 100;
      const before = tokens;
      const response = await client.fetch(`${url}/devices`);
      assert.equal(response.status, 401);
      assert.equal(asked.length, 2);
      await client.fetch(`${url}/devices`);
      assert.ok(tokens - before <= 3, `${tokens - before} tokens were fetched for two refused requests`);
    }));

  test('does not follow redirects', () =>
    withClient(async (client) => {
      const response = await client.fetch(`${url}/moved`);
      assert.equal(response.status, 302);
      assert.deepEqual(
        asked.map(({ path }) => path),
        ['/moved'],
      );
      assert.match(String(await rejection(client.fetch(`${url}/moved`, { redirect: 'follow' }))), /does not follow/);
      await assert.rejects(client.fetch(`${url}/moved`, { redirect: 'error' }), TypeError);
    }));

  test('sends nothing to another origin', () =>
    withClient(async (client) => {
      let sent = 0;
      const spy = () => {
        ++sent;
        return Promise.resolve(new Response());
      };
      const error = await rejection(client.fetch('https://evil.example/', { fetch: spy }));
      assert.ok(error instanceof ConfigurationError);
      assert.equal(sent, 0);
    }));

  test('ends with its signal', () =>
    withClient(async (client) => {
      const signal = AbortSignal.abort(new Error('too late'));
      assert.match(String(await rejection(client.fetch(`${url}/devices`, { signal }))), /too late/);
      assert.equal(asked.length, 0);
    }));
});
