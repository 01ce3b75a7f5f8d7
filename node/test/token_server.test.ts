// The example of a backend, whose tokens a device gets and Fleet Engine accepts.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, mock, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { AccessDenied, FleetEngine, FleetEngineDevice, Runtime } from 'fleetauth';
import type { FleetEngineDeviceClaimSet, FleetEngineDeviceIds, FleetEngineDeviceOptions, Signer } from 'fleetauth';

import { rejection, useEmulator } from './support';

const EXAMPLE = resolve(__dirname, '..', '..', 'examples', 'token-server.mjs');

interface Wanted {
  kind: string;
  id: string | undefined;
}
type Authorise = (request: IncomingMessage, wanted: Wanted) => unknown;
type Next = () => void;
type Handler = (...given: [...Parameters<RequestListener>, Next?]) => Promise<void>;
interface Example {
  tokenServer: (options: { client: FleetEngine; authorise: Authorise }) => Handler;
}

let serviceAccount: string;
let project: string;
const fixture = useEmulator(async (emulator) => {
  const account = (await emulator.admin('GET', '/fleet_engine/service_account')) as { project_id: string };
  serviceAccount = JSON.stringify(account);
  project = account.project_id;
});

const example = import(pathToFileURL(EXAMPLE).href) as Promise<Example>;
const CARD = 'Bearer driver-card';
const byCard: Authorise = ({ headers }) => headers.authorization === CARD;

/** Runs the example's handler with these options, and `use` with the URL where it listens. */
async function serving(
  options: { authorise?: Authorise; signer?: Signer; next?: Next },
  use: (url: string, runtime: Runtime) => Promise<void>,
): Promise<void> {
  const { authorise = byCard, signer, next } = options;
  await using runtime = new Runtime();
  const key = signer ? { signer, clientEmail: 'fleet@fleet.example' } : { serviceAccount };
  await using client = new FleetEngine({ ...key, runtime });
  const handler = (await example).tokenServer({ client, authorise });
  const server = createServer(
    (request, response) =>
      void handler(
        request,
        response,
        next &&
          (() => {
            next();
            response.writeHead(418).end();
          }),
      ),
  );
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, runtime);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function device(options: FleetEngineDeviceOptions): FleetEngineDevice {
  return new FleetEngineDevice({
    ...fixture.emulator.options('fleet_engine_device'),
    allowLoopbackHttp: true,
    ...options,
  });
}

const get = (url: string, init: RequestInit = {}) => fetch(url, { headers: { authorization: CARD }, ...init });

const THINGS: [FleetEngineDeviceClaimSet, FleetEngineDeviceIds, opens: string, refuses: string][] = [
  ['driver', { vehicleid: 'v1' }, 'vehicles/v1', 'vehicles/v2'],
  ['consumer', { tripid: 'Reise 1' }, 'trips/Reise%201', 'trips/t2'],
  ['delivery_driver', { deliveryvehicleid: 'd1' }, 'deliveryVehicles/d1', 'deliveryVehicles/d2'],
  ['delivery_consumer', { trackingid: 'p1' }, 'taskTrackingInfo/p1', 'taskTrackingInfo/p2'],
];

describe('the token server', () => {
  test('gives a device its tokens, and nobody else', () =>
    serving({}, async (backendBaseUrl, runtime) => {
      await using client = device({ backendBaseUrl, runtime, authorization: CARD });
      await using stranger = device({ backendBaseUrl, runtime, authorization: 'Bearer lost' });
      for (const [claimSet, claims, opens, refuses] of THINGS) {
        const token = await client.mint(claimSet, claims);
        assert.ok(token.expiresInMs > 3_500_000 && token.expiresInMs <= 3_600_000, String(token.expiresInMs));
        for (const [resource, status] of [
          [opens, 200],
          [refuses, 403],
        ] as const) {
          const url = `${fixture.emulator.baseUrl('fleet_engine', 'api')}/v1/providers/${project}/${resource}`;
          assert.equal((await fixture.fetch(client, url, { claimSet, claims })).status, status);
        }
        assert.ok((await rejection(stranger.mint(claimSet, claims))) instanceof AccessDenied);
      }
    }));

  test('answers as the samples do, with what no cache may keep', () =>
    serving({}, async (url) => {
      const names = {
        driver: ['jwt', 'creationTimestamp', 'expirationTimestamp'],
        consumer: ['jwt', 'creationTimestamp', 'expirationTimestamp'],
        delivery_driver: ['token', 'creation_timestamp_ms', 'expiration_timestamp_ms'],
        delivery_consumer: ['token', 'creation_timestamp_ms', 'expiration_timestamp_ms'],
      };
      for (const [kind, members] of Object.entries(names)) {
        const response = await get(`${url}/token/${kind}/one?session=1`);
        assert.equal(response.status, 200);
        assert.equal(response.headers.get('cache-control'), 'no-store');
        assert.equal(response.headers.get('content-type'), 'application/json');
        const answer = (await response.json()) as Record<string, unknown>;
        assert.deepEqual(Object.keys(answer), members);
        const [token, created, expires] = Object.values(answer) as [string, number, number];
        assert.equal(token.split('.').length, 3);
        assert.equal(expires - created, 3_600_000);
      }
    }));

  test('asks first who may have the token', async () => {
    const asked: Wanted[] = [];
    const authorise: Authorise = (_, wanted) => {
      asked.push(wanted);
      return Promise.resolve(wanted.id === 'mine');
    };
    await serving({ authorise }, async (url) => {
      assert.equal((await get(`${url}/token/driver/mine`)).status, 200);
      for (const id of ['yours', '*', '', 'a%2Fb', '%FF']) {
        const response = await get(`${url}/token/driver/${id}`);
        assert.equal(response.status, 403);
        assert.equal(response.headers.get('cache-control'), 'no-store');
      }
    });
    assert.deepEqual(
      asked.map(({ kind }) => kind),
      Array(6).fill('driver'),
    );
    assert.deepEqual(
      asked.map(({ id }) => id),
      ['mine', 'yours', '*', '', 'a/b', undefined],
    );
    const { tokenServer } = await example;
    const missing = undefined as never;
    assert.throws(() => tokenServer({ client: missing, authorise: missing }), /needs authorise/);
  });

  test('takes no answer but true for a yes', async () => {
    for (const answer of [undefined, 'no', 1, {}, Promise.resolve(false)]) {
      await serving({ authorise: () => answer }, async (url) => {
        assert.equal((await get(`${url}/token/driver/v1`)).status, 403);
      });
    }
  });

  test('refuses ids of nothing, of everything, and such as Fleet Engine has none', () =>
    serving({}, async (url) => {
      const ids = [
        '',
        '/',
        '/*',
        '/%2A',
        '/a%2Fb',
        '/a:b',
        '/a%3Fb',
        '/a,b',
        '/a%23b',
        '/%FF',
        '/%0A',
        `/${'x'.repeat(65)}`,
      ];
      for (const id of ids) {
        const response = await get(`${url}/token/delivery_driver${id}`);
        assert.equal(response.status, 400, id);
        assert.equal(response.headers.get('cache-control'), 'no-store');
        assert.deepEqual(Object.keys((await response.json()) as object), ['error']);
      }
    }));

  test('knows nothing else', async () => {
    const authorise = () => assert.fail('nobody is asked');
    await serving({ authorise }, async (url) => {
      const paths = [
        '/',
        '/token',
        '/token/',
        '/token/server',
        '/token/server/v1',
        '/token/driver/v1/2',
        '/token/Driver/v1',
      ];
      for (const path of [...paths, '/token/toString/v1', '/tokens/driver/v1', '//token/driver/v1']) {
        assert.equal((await get(url + path)).status, 404, path);
      }
      assert.equal((await get(`${url}/token/driver/v1`, { method: 'POST' })).status, 404);
    });
  });

  test('passes on in express what is not its own', async () => {
    const next = mock.fn();
    await serving({ next }, async (url) => {
      assert.equal((await get(`${url}/devices`)).status, 418);
      assert.equal((await get(`${url}/token/driver/v1`)).status, 200);
      assert.equal((await get(`${url}/token/driver/*`)).status, 400);
    });
    assert.equal(next.mock.callCount(), 1);
  });

  test('tells nobody why it failed but its own log', async () => {
    const log = mock.method(console, 'error', () => undefined);
    const broken = () => Promise.reject(new Error('the cause'));
    try {
      for (const options of [{ signer: broken }, { authorise: broken }]) {
        await serving(options, async (url) => {
          const response = await get(`${url}/token/driver/v1`);
          assert.equal(response.status, 500);
          assert.equal(await response.text(), '{"error":"The token could not be made"}');
        });
        assert.match(String(log.mock.calls.at(-1)?.arguments[0]), /the cause/);
      }
    } finally {
      log.mock.restore();
    }
  });

  test('runs by itself', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fleetauth-example-'));
    const file = join(folder, 'key.json');
    writeFileSync(file, serviceAccount, { mode: 0o600 });
    const env = { ...process.env, FLEET_ENGINE_SERVICE_ACCOUNT_FILE: file, FLEET_TOKEN_KEY: 'driver-card', PORT: '0' };
    const child = spawn(process.execPath, [EXAMPLE], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    try {
      const line = await new Promise<string>((resolve, reject) => {
        createInterface(child.stdout).once('line', resolve);
        child.once('exit', (code) => {
          reject(new Error(`the example ended with ${String(code)}`));
        });
      });
      const url = line.slice(0, line.indexOf('/token'));
      assert.equal((await get(`${url}/token/driver/v1`)).status, 200);
      assert.equal((await get(`${url}/token/driver/v1`, { headers: {} })).status, 403);
    } finally {
      child.kill();
      await ended;
      rmSync(folder, { recursive: true });
    }
  });
});
