import assert from 'node:assert/strict';
import { createPublicKey, createSign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { format, inspect } from 'node:util';

import * as fleetauth from 'fleetauth';
import {
  AccessDenied,
  Client,
  Closed,
  ConfigurationError,
  FleetAuthError,
  FleetEngine,
  FleetEngineDevice,
  InvalidCredentials,
  ManualClock,
  NetworkError,
  Provider,
  Runtime,
  Token,
  TransportError,
} from 'fleetauth';
import type {
  Claims,
  FleetEngineClaimSet,
  FleetEngineDeviceClaimSet,
  FleetEngineDeviceIds,
  FleetEngineIds,
  FleetEngineOptions,
  Signer,
  SignInfo,
} from 'fleetauth';
import { liveHandles } from 'fleetauth/testing';

import { FLEETUP, handlesBackTo, rejection, until, useEmulator, withRuntime } from './support';

const AUDIENCE = 'https://fleetengine.googleapis.com/';
const wrong = (value: unknown) => value as never;

let account: { client_email: string; private_key: string; private_key_id: string; project_id: string };
let publicKey: KeyObject;
const folder = mkdtempSync(join(tmpdir(), 'fleetauth-key-'));

const fixture = useEmulator(async (emulator) => {
  account = (await emulator.admin('GET', '/fleet_engine/service_account')) as typeof account;
  publicKey = createPublicKey(account.private_key);
});
after(() => {
  rmSync(folder, { recursive: true });
});

/** A client of Fleet Engine; with the emulator's key unless the options say who signs. */
function fleetEngine(options: FleetEngineOptions): FleetEngine {
  const signs = options.signer ?? options.serviceAccount ?? options.serviceAccountFile;
  const key = signs ? {} : { serviceAccount: JSON.stringify(account) };
  return new FleetEngine({ ...key, ...fixture.emulator.options('fleet_engine'), ...options });
}

function device(options: Partial<fleetauth.FleetEngineDeviceOptions>): FleetEngineDevice {
  const { backendBaseUrl = '', ...emulated } = fixture.emulator.options('fleet_engine_device');
  return new FleetEngineDevice({ ...emulated, backendBaseUrl: String(backendBaseUrl), ...options });
}

/** The status with which Fleet Engine answers a request with these claims. */
async function status(client: Client, resource: string, wanted: fleetauth.RequestOptions, tasks?: string[]) {
  const url = `${fixture.emulator.baseUrl('fleet_engine', 'api')}/v1/providers/${account.project_id}/${resource}`;
  const body = tasks && JSON.stringify({ requests: tasks.map((taskId) => ({ taskId })) });
  const post = body ? { method: 'POST', body, headers: { 'content-type': 'application/json' } } : {};
  return (await fixture.fetch(client, url, { ...post, ...wanted })).status;
}

/** Verifies a token with another library, claim by claim; answers what it is for. */
async function authorization(token: Token, keyId: string | undefined = account.private_key_id): Promise<unknown> {
  const { jwtVerify } = await import('jose');
  const { payload, protectedHeader } = await jwtVerify(token.reveal(), publicKey, {
    algorithms: ['RS256'],
    audience: AUDIENCE,
    issuer: account.client_email,
    subject: account.client_email,
    typ: 'JWT',
    clockTolerance: 0,
  });
  assert.deepEqual(protectedHeader, { alg: 'RS256', typ: 'JWT', ...(keyId === '' ? {} : { kid: keyId }) });
  const { iat = 0, exp = 0, authorization: claims, ...others } = payload;
  assert.deepEqual(others, { iss: account.client_email, sub: account.client_email, aud: AUDIENCE });
  assert.equal(exp - iat, 3600);
  assert.ok(Math.abs(iat - Date.now() / 1000) < 60, `issued at ${iat}`);
  // Told by another clock than the wall's, which may be a moment apart.
  assert.ok(Math.abs(Number(token.expiresAt) - exp * 1000) < 1000, inspect(token));
  return claims;
}

/** A signer as a KMS would be, and what it was asked for. */
function keyHolder(): { signer: Signer; asked: { data: Buffer; info: SignInfo }[] } {
  const asked: { data: Buffer; info: SignInfo }[] = [];
  const signer: Signer = (data, info) => {
    asked.push({ data, info });
    return createSign('RSA-SHA256').update(data).sign(account.private_key);
  };
  return { signer, asked };
}

interface Case {
  ids?: FleetEngineIds;
  claims: object;
  opens: string;
  refuses?: string;
}

/** What each claim set is for: its ids, the claims of its token, something that it opens and something that it does not. */
const SETS: Record<FleetEngineClaimSet, Case[]> = {
  server: [{ claims: { tripid: '*', vehicleid: '*' }, opens: 'vehicles/v1', refuses: 'tasks/k1' }],
  driver: [
    { ids: { vehicleid: 'v1' }, claims: { vehicleid: 'v1' }, opens: 'vehicles/v1', refuses: 'vehicles/v2' },
    {
      ids: { vehicleid: 'Ünï-車' },
      claims: { vehicleid: 'Ünï-車' },
      opens: `vehicles/${encodeURIComponent('Ünï-車')}`,
    },
  ],
  consumer: [{ ids: { tripid: 't1' }, claims: { tripid: 't1' }, opens: 'trips/t1', refuses: 'trips/t2' }],
  delivery_server: [{ claims: { taskid: '*', trackingid: '*', deliveryvehicleid: '*' }, opens: 'deliveryVehicles/d1' }],
  untrusted_delivery_driver: [
    {
      ids: { deliveryvehicleid: 'd1' },
      claims: { deliveryvehicleid: 'd1' },
      opens: 'deliveryVehicles/d1',
      refuses: 'deliveryVehicles/d2',
    },
  ],
  trusted_delivery_driver: [
    { ids: { deliveryvehicleid: 'd1' }, claims: { deliveryvehicleid: 'd1' }, opens: 'deliveryVehicles/d1' },
    {
      ids: { taskid: 'k1', deliveryvehicleid: 'd1' },
      claims: { taskid: 'k1', deliveryvehicleid: 'd1' },
      opens: 'tasks/k1',
      refuses: 'tasks/k2',
    },
  ],
  delivery_consumer: [
    {
      ids: { trackingid: 'p1' },
      claims: { trackingid: 'p1' },
      opens: 'taskTrackingInfo/p1',
      refuses: 'taskTrackingInfo/p2',
    },
    { ids: { taskid: 'k1' }, claims: { taskid: 'k1' }, opens: 'tasks/k1', refuses: 'tasks/k2' },
  ],
  delivery_fleet_reader: [{ claims: { taskid: '*', trackingid: '*', deliveryvehicleid: '*' }, opens: 'tasks/k1' }],
  fleet_reader: [
    {
      claims: { tripid: '*', taskid: '*', trackingid: '*', vehicleid: '*', deliveryvehicleid: '*' },
      opens: 'trips/t1',
    },
  ],
};

describe('a token of Fleet Engine', () => {
  test('is for every claim set there is', () => {
    const { sets } = Provider.builtin('fleet_engine').description.claims as { sets: object };
    assert.deepEqual(Object.keys(SETS), Object.keys(sets));
  });

  for (const [claimSet, cases] of Object.entries(SETS) as [FleetEngineClaimSet, Case[]][]) {
    for (const { ids, claims, opens, refuses } of cases) {
      test(`for ${claimSet} ${Object.keys(ids ?? {}).join(' and ')} is what Fleet Engine accepts`, () =>
        withRuntime(async (runtime) => {
          await using client = fleetEngine({ runtime });
          const token = await client.mint(claimSet, ids);
          assert.deepEqual(await authorization(token), claims);
          assert.equal(token.kind, 'bearer');
          const wanted = { claimSet, claims: ids };
          assert.equal(await status(client, opens, wanted), 200);
          if (refuses) assert.equal(await status(client, refuses, wanted), 403);
        }));
    }
  }

  test('is for ids alone, several of them too', () =>
    withRuntime(async (runtime) => {
      await using client = fleetEngine({ runtime });
      const claims = { taskids: ['k1', 'k2'] };
      assert.deepEqual(await authorization(await client.mint(claims)), claims);
      assert.equal(await status(client, 'tasks:batchCreate', { claims }, ['k1', 'k2']), 200);
      assert.equal(await status(client, 'tasks:batchCreate', { claims }, ['k1', 'k3']), 403);
      assert.deepEqual(await authorization(await client.mint(undefined, { tripid: '*' })), { tripid: '*' });
    }));

  test('is for the client’s own claim set where a call names none', () =>
    withRuntime(async (runtime) => {
      await using client = fleetEngine({ runtime, claimSet: 'delivery_server' });
      const own = { taskid: '*', trackingid: '*', deliveryvehicleid: '*' };
      for (const token of [await client.mint(), await client.token()]) {
        assert.deepEqual(await authorization(token), own);
      }
      assert.deepEqual(await authorization(await client.mint('driver', { vehicleid: 'v1' })), { vehicleid: 'v1' });
      assert.deepEqual(await authorization(await client.token()), own);
      assert.equal(await status(client, 'tasks/k1', {}), 200);
    }));

  test('is signed with the key in a file, in a text, in bytes, or by a signer', async () => {
    const file = join(folder, 'key.json');
    const text = JSON.stringify(account);
    writeFileSync(file, text);
    const { signer } = keyHolder();
    const clientEmail = account.client_email;
    const keys: FleetEngineOptions[] = [
      { serviceAccountFile: file },
      { serviceAccount: text },
      { serviceAccount: Buffer.from(text) },
      { signer, clientEmail, keyId: account.private_key_id },
      { signer: (...given) => Promise.resolve(signer(...given)), clientEmail, keyId: account.private_key_id },
      { signer: (...given) => new Uint8Array(signer(...given) as Buffer), clientEmail },
    ];
    for (const key of keys) {
      await using runtime = new Runtime();
      await using client = fleetEngine({ ...key, runtime });
      const named = key.signer && key.keyId === undefined ? '' : account.private_key_id;
      const claims = { vehicleid: 'v1' };
      assert.deepEqual(await authorization(await client.mint('driver', claims), named), claims);
      assert.equal(await status(client, 'vehicles/v1', { claims }), 200);
    }
  });

  test('is the same for the same claims, and nobody signs again', () =>
    withRuntime(async (runtime) => {
      const { signer, asked } = keyHolder();
      await using client = fleetEngine({ runtime, signer, clientEmail: account.client_email, keyId: 'the key' });
      const both = { deliveryvehicleid: 'd1', taskid: 'k1' };
      assert.equal(client.peekToken({ claims: both }), undefined);
      const [one, other] = await Promise.all([client.mint(both), client.mint('trusted_delivery_driver', both)]);
      assert.equal(one.reveal(), other.reveal());
      const again = await client.mint({ taskid: 'k1', deliveryvehicleid: 'd1' });
      assert.equal(again.reveal(), one.reveal());
      assert.equal(again.fromCache, true);
      assert.equal(client.peekToken({ claims: both })?.reveal(), one.reveal());
      assert.equal(asked.length, 1);
      const [{ data, info } = assert.fail()] = asked;
      assert.equal(one.reveal().split('.').slice(0, 2).join('.'), data.toString());
      assert.ok(Buffer.isBuffer(data));
      assert.deepEqual([info.keyId, info.algorithm, info.signal.aborted], ['the key', 'RS256', false]);
      assert.ok(info.timeoutMs > 0 && info.timeoutMs <= 30_000, String(info.timeoutMs));
      await client.mint({ deliveryvehicleid: 'd1' });
      assert.equal(asked.length, 2);
    }));

  test('comes in headers that are kept by claims', () =>
    withRuntime(async (runtime) => {
      await using client = fleetEngine({ runtime });
      const url = `${fixture.emulator.baseUrl('fleet_engine', 'api')}/v1/providers/p/vehicles/v1`;
      const first = { claimSet: 'driver', claims: { vehicleid: 'v1' } };
      const second = { claimSet: 'driver', claims: { vehicleid: 'v2' } };
      assert.equal(client.peek(url, first), undefined);
      const headers = await client.headers(url, first);
      assert.deepEqual(headers, { Authorization: `Bearer ${(await client.token(first)).reveal()}` });
      const others = await client.headers(url, second);
      assert.deepEqual(others, { Authorization: `Bearer ${(await client.token(second)).reveal()}` });
      assert.notEqual(headers.Authorization, others.Authorization);
      assert.equal(await client.headers(url, { claims: { vehicleid: 'v1' }, claimSet: 'driver' }), headers);
      assert.equal(client.peek(url, second), others);
      const server = await client.headers(url, { claimSet: 'server' });
      assert.equal(client.peek(url, { claimSet: 'server' }), server);
      assert.equal(client.peek(url, { claims: { tripid: '*', vehicleid: '*' } })?.Authorization, server.Authorization);
      assert.throws(() => client.peek(url), ConfigurationError);
      assert.throws(() => client.peek(url, { claimSet: 'fleet_server' }), ConfigurationError);
    }));

  test('may be forgotten before the answer to it comes', () =>
    withRuntime(async (runtime) => {
      await using client = fleetEngine({ runtime, maxTokens: 1 });
      const url = `${fixture.emulator.baseUrl('fleet_engine', 'api')}/v1/providers/p/vehicles/v1`;
      const send = async () => {
        await client.mint('server');
        return new Response(null, { status: 404 });
      };
      assert.equal((await client.fetch(url, { claims: { vehicleid: 'v1' }, fetch: send })).status, 404);
    }));

  // The emulator refuses a token for its exp, which is too far ahead or over.
  for (const ahead of [-600, 4200]) {
    test(`T-5 fetch heals a clock that is ${ahead} s off`, () =>
      withRuntime(async (runtime) => {
        await using client = fleetEngine({ runtime });
        await fixture.emulator.admin('POST', '/clock', { advance_s: ahead });
        try {
          assert.equal(await status(client, 'vehicles/v1', { claims: { vehicleid: 'v1' } }), 200);
          assert.equal(await status(client, 'vehicles/v2', { claims: { vehicleid: 'v2' } }), 200, 'it is remembered');
          const answers = (await fixture.emulator.log({ provider: 'fleet_engine' })).map((entry) => entry.status);
          assert.deepEqual(answers, [401, 200, 200]);
        } finally {
          await fixture.emulator.admin('POST', '/clock', { advance_s: -ahead });
        }
      }));
  }

  test('lives as long as is asked for, and is good for some minutes whenever it is given out', async () => {
    const clock = new ManualClock(new Date('2026-01-01T00:00:00Z'));
    await using runtime = new Runtime({ clock });
    await using client = fleetEngine({ runtime, lifetimeS: 1200, claimSet: 'server' });
    const token = await client.mint();
    assert.equal(token.expiresInMs, 1_190_000);
    clock.advance(900_000);
    assert.equal(token.expiresInMs, 290_000);
    const next = await client.mint();
    assert.notEqual(next.reveal(), token.reveal());
    assert.ok(next.expiresInMs > 300_000);
  });
});

describe('claims that are wrong', () => {
  const ID = 'id-canary';
  const cases: [what: RegExp, set: unknown, ids?: unknown][] = [
    [/"driver" takes "vehicleid"/, 'driver'],
    [/"driver" takes "vehicleid"/, 'driver', { tripid: ID }],
    [/"driver" takes "vehicleid"/, 'driver', { vehicleid: ID, tripid: ID }],
    [/"driver" is for ids, not for \*/, 'driver', { vehicleid: '*' }],
    [/"server" has its claims already/, 'server', { vehicleid: ID }],
    [/"delivery_consumer" takes "trackingid" or "taskid"/, 'delivery_consumer', { taskid: ID, trackingid: ID }],
    [/no claim set "drivr" \(did you mean "driver"\?\)/, 'drivr', { vehicleid: ID }],
    [/no claim "vehicleId" \(did you mean "vehicleid"\?\)/, { vehicleId: ID }],
    [/"vehicleid" must not be empty/, 'driver', { vehicleid: '' }],
    [/"vehicleid" must hold none of the characters/, { vehicleid: `${ID}/2` }],
    [/"vehicleid" must hold no control characters/, { vehicleid: `${ID}\n` }],
    [/"vehicleid" has more than 64 characters/, { vehicleid: ID.repeat(8) }],
    [/"vehicleid" must be a string/, { vehicleid: [ID] }],
    [/"vehicleid" must be a string/, { vehicleid: 7 }],
    [/"taskids" must be an array of strings/, { taskids: ID }],
    [/"taskids" must hold from 1 to/, { taskids: [] }],
    [/"taskids" holds an id twice/, { taskids: [ID, ID] }],
    [/"taskids" holds \* beside ids/, { taskids: [ID, '*'] }],
    [/"taskids" and "taskid" exclude each other/, { taskid: ID, taskids: [ID] }],
    [/the claims are empty/, {}],
    [/the claims are empty/, { vehicleid: undefined }],
    [/a token is for claims/, undefined],
  ];

  for (const [what, ...given] of cases) {
    test(`are refused: ${what.source}`, () =>
      withRuntime(async (runtime) => {
        await using client = fleetEngine({ runtime });
        const error = await rejection(client.mint(...(given as [never, never])));
        assert.ok(error instanceof ConfigurationError, inspect(error));
        assert.match(error.message, what);
        assert.equal(error.provider, 'fleet_engine');
        assert.equal(error.retryable, false);
        assert.ok(!inspect(error, { depth: 9 }).includes(ID), error.message);
      }));
  }

  test('are a TypeError where they are no object of ids', () =>
    withRuntime(async (runtime) => {
      await using client = fleetEngine({ runtime, claimSet: 'server' });
      const ids = [['vehicleid', ID]] as const;
      for (const claims of [null, ID, [ID], () => ID, 7, new Map(ids), new URLSearchParams(Object.fromEntries(ids))]) {
        for (const claimSet of [undefined, 'driver'] as const) {
          const error = await rejection(client.token({ claimSet, claims: wrong(claims) }));
          assert.ok(error instanceof TypeError, inspect(error));
          assert.match(error.message, /^The option claims must be an object/);
        }
      }
      assert.ok((await rejection(client.mint(wrong(null)))) instanceof TypeError);
    }));

  test('are of no use where tokens are not for claims', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetUp({ runtime });
      for (const minted of [client.mint('driver'), client.mint({ vehicleid: 'v1' })]) {
        const error = await rejection(minted);
        assert.ok(error instanceof FleetAuthError);
        assert.equal(error.code, 'FLEETAUTH_E_UNSUPPORTED');
        assert.match(error.message, /not for claims/);
      }
      assert.equal((await client.mint()).reveal(), (await client.token()).reveal());
    }));
});

describe('a key that is wrong', () => {
  const refusal = (options: FleetEngineOptions): ConfigurationError => {
    try {
      void fleetEngine(options).close();
    } catch (error) {
      assert.ok(error instanceof ConfigurationError, inspect(error));
      assert.ok(!format('%o %s %j', error, error, error).includes('canary'), error.message);
      return error;
    }
    assert.fail('the client could be made');
  };

  test('is refused when the client is made', () => {
    const missing = join(folder, 'missing.json');
    const file = join(folder, 'wrong.json');
    assert.match(refusal({ serviceAccountFile: missing }).message, /cannot read .*missing\.json/);
    const damaged: [content: string, what: RegExp][] = [
      ['', /not valid JSON/],
      ['{"private_key": "canary"', /not valid JSON/],
      [JSON.stringify({ ...account, private_key: 'canary' }), /"private_key"/],
      [JSON.stringify({ ...account, private_key: undefined, other: 'canary' }), /"private_key"/],
      [JSON.stringify({ ...account, client_email: undefined }), /"client_email"/],
    ];
    for (const [content, what] of damaged) {
      writeFileSync(file, content);
      const fromFile = refusal({ serviceAccountFile: file });
      assert.match(fromFile.message, what);
      assert.ok(fromFile.message.includes(file), fromFile.message);
      if (content === '') continue;
      assert.match(refusal({ serviceAccount: content }).message, what);
    }
  });

  test('is refused beside another, or where it is of no use', () => {
    const serviceAccount = JSON.stringify(account);
    const { signer } = keyHolder();
    assert.match(refusal({ serviceAccount, serviceAccountFile: 'key.json' }).message, /exclude each other/);
    assert.match(refusal({ serviceAccount, signer }).message, /"service_account" is of no use/);
    assert.match(refusal({ serviceAccount, clientEmail: 'a@b' }).message, /"client_email" is of no use/);
    assert.match(refusal({ signer }).message, /"client_email"/);
    assert.throws(() => fleetEngine({ signer: wrong('host') }), TypeError);
    assert.throws(() => fleetEngine({ claimSet: wrong('driver') }), /"driver" takes "vehicleid"/);
  });
});

test('no secret of a key is shown', () =>
  withRuntime(async (runtime) => {
    await using client = fleetEngine({ runtime });
    const claims = { vehicleid: 'v1' };
    const token = await client.mint('driver', claims);
    const headers = await client.headers(fixture.emulator.baseUrl('fleet_engine', 'api'), { claims });
    const [signature = ''] = token.reveal().split('.').slice(-1);
    const [, line = ''] = account.private_key.split('\n');
    const shown = [client, token, { client, token }].map(
      (value) => inspect(value, { depth: 9, showHidden: true }) + format('%s %o %j', value, value, value),
    );
    shown.push(inspect(headers));
    for (const text of shown) {
      for (const secret of [signature, line]) assert.ok(!text.includes(secret), text);
    }
    assert.equal(inspect(client), "FleetEngine { provider: 'fleet_engine' }");
  }));

describe('a signer', () => {
  const by = (signer: Signer, runtime: Runtime): FleetEngine =>
    fleetEngine({ runtime, signer, clientEmail: account.client_email });

  test('throws, and that very object comes out at every caller', () =>
    withRuntime(async (runtime) => {
      const thrown = new RangeError('the HSM is locked');
      let calls = 0;
      const signers: Signer[] = [
        () => {
          ++calls;
          throw thrown;
        },
        () => {
          ++calls;
          return Promise.reject(thrown);
        },
      ];
      for (const signer of signers) {
        await using client = by(signer, runtime);
        const waiting = [
          client.mint('server'),
          client.headers(fixture.emulator.baseUrl('fleet_engine', 'api'), { claimSet: 'server' }),
        ];
        for (const promise of waiting) assert.equal(await rejection(promise), thrown);
      }
      assert.ok(calls >= 2);
    }));

  test('may fail once and is asked again', () =>
    withRuntime(async (runtime) => {
      const { signer } = keyHolder();
      const outcomes: Signer[] = [() => Promise.reject(new Error('busy')), signer];
      await using client = by((...given) => (outcomes.shift() ?? signer)(...given), runtime);
      assert.match(String(await rejection(client.mint('server'))), /busy/);
      assert.deepEqual(await authorization(await client.mint('server'), ''), { tripid: '*', vehicleid: '*' });
    }));

  test('says with a TransportError that it could not be reached, and is asked again by itself', () =>
    withRuntime(async (runtime) => {
      const { signer, asked } = keyHolder();
      const cause = new Error('no route');
      const unreachable = () => {
        throw new TransportError('E_CONNECT', 'kms', { cause });
      };
      const outcomes: Signer[] = [unreachable, signer];
      await using client = by((...given) => (outcomes.shift() ?? unreachable)(...given), runtime);
      assert.deepEqual(await authorization(await client.mint('server'), ''), { tripid: '*', vehicleid: '*' });
      assert.equal(asked.length, 1);
      const error = await rejection(client.mint('driver', { vehicleid: 'v1' }));
      assert.ok(error instanceof NetworkError, inspect(error));
      assert.match(error.message, /the host's signer failed \(kms\)/);
      assert.equal(error.cause, cause);
    }));

  test('returns bytes', () =>
    withRuntime(async (runtime) => {
      for (const answer of ['base64', undefined, null, {}, new ArrayBuffer(256)]) {
        await using client = by(() => wrong(answer), runtime);
        const error = await rejection(client.mint('server'));
        assert.ok(error instanceof TypeError, inspect(error));
        assert.match(error.message, /signer must return/);
      }
      await using client = by(() => new Uint8Array(), runtime);
      assert.match(String(await rejection(client.mint('server'))), /signature is empty/);
    }));

  test('is told when its signature is no longer wanted, and not when a caller has gone', () =>
    withRuntime(async (runtime) => {
      const signals: AbortSignal[] = [];
      const client = by((_, { signal }) => {
        signals.push(signal);
        return new Promise<never>(() => undefined);
      }, runtime);
      const impatient = new AbortController();
      const gone = rejection(client.token({ claimSet: 'server', signal: impatient.signal }));
      const waiting = rejection(client.mint('server'));
      await until(() => signals.length === 1, 'the call');
      impatient.abort();
      assert.equal(await gone, impatient.signal.reason);
      assert.equal(signals[0]?.aborted, false);
      await client.close();
      assert.ok((await waiting) instanceof Closed);
      assert.equal(signals[0].aborted, true);
      assert.equal(signals.length, 1);
    }));

  test('that takes too long is given up', async () => {
    const clock = new ManualClock(new Date());
    await using runtime = new Runtime({ clock });
    const infos: SignInfo[] = [];
    await using client = by((_, info) => {
      infos.push(info);
      return new Promise<never>(() => undefined);
    }, runtime);
    const waiting = rejection(client.mint('server'));
    await until(() => infos.length === 1, 'the call');
    clock.advance(Number(infos[0]?.timeoutMs));
    await until(() => infos[0]?.signal.aborted === true, 'the signal');
    clock.advance(60_000);
    assert.ok((await waiting) instanceof fleetauth.TimeoutError, inspect(await waiting));
  });

  test('serves renewals in the background', async () => {
    const clock = new ManualClock(new Date());
    await using runtime = new Runtime({ clock });
    const { signer, asked } = keyHolder();
    await using client = by(signer, runtime);
    const url = fixture.emulator.baseUrl('fleet_engine', 'api');
    const wanted = { claimSet: 'server' };
    const token = await client.mint('server');
    await client.headers(url, wanted);
    clock.advance(3_200_000);
    assert.equal((await client.mint('server')).reveal(), token.reveal());
    await until(() => client.peekToken(wanted)?.reveal() !== token.reveal(), 'the renewal');
    assert.equal(asked.length, 2);
    assert.equal(client.peek(url, wanted)?.Authorization, `Bearer ${client.peekToken(wanted)?.reveal() ?? ''}`);
  });

  test('works beside a transport', () =>
    withRuntime(async (runtime) => {
      const { signer } = keyHolder();
      const transport = () => assert.fail('nothing is sent');
      await using client = fleetEngine({ runtime, signer, transport, clientEmail: account.client_email });
      assert.deepEqual(await authorization(await client.mint({ tripid: 't1' }), ''), { tripid: 't1' });
    }));

  test('leaves nothing behind', async () => {
    const { signer } = keyHolder();
    const round = async () => {
      await using runtime = new Runtime();
      await using client = by(signer, runtime);
      await client.mint('server');
      await using locked = by(() => Promise.reject(new Error('no')), runtime);
      await rejection(locked.mint('driver', { vehicleid: 'v1' }));
    };
    await round();
    globalThis.gc?.();
    const before = liveHandles();
    for (let rounds = 0; rounds < 10; ++rounds) await round();
    await handlesBackTo(before);
  });
});

describe('a device', () => {
  const SETS: [FleetEngineDeviceClaimSet, FleetEngineDeviceIds, opens: string, refuses: string][] = [
    ['driver', { vehicleid: 'v1' }, 'vehicles/v1', 'vehicles/v2'],
    ['consumer', { tripid: 't 1' }, 'trips/t%201', 'trips/t2'],
    ['delivery_driver', { deliveryvehicleid: 'd1' }, 'deliveryVehicles/d1', 'deliveryVehicles/d2'],
    ['delivery_consumer', { trackingid: 'p1' }, 'taskTrackingInfo/p1', 'taskTrackingInfo/p2'],
  ];
  const backendCalls = async () =>
    (await fixture.emulator.log()).filter(({ endpoint }) => endpoint.startsWith('/fleet-engine-backend')).length;

  test('gets its tokens from the fleet’s backend, each once', () =>
    withRuntime(async (runtime) => {
      await using client = device({ runtime });
      for (const [claimSet, claims, opens, refuses] of SETS) {
        const token = await client.mint(claimSet, claims);
        assert.equal((await client.mint(claimSet, claims)).reveal(), token.reveal());
        const wanted = { claimSet, claims };
        assert.equal(await status(client, opens, wanted), 200);
        assert.equal(await status(client, refuses, wanted), 403);
      }
      assert.equal(await backendCalls(), SETS.length);
    }));

  test('is not asked for all of them, or for more than one', () =>
    withRuntime(async (runtime) => {
      await using client = device({ runtime });
      const asked: [string, Claims][] = [
        ['driver', { vehicleid: '*' }],
        ['driver', { vehicleid: '' }],
        ['driver', { tripid: 't1' }],
        ['server', {}],
      ];
      for (const [claimSet, claims] of asked) {
        assert.ok((await rejection(client.mint(wrong(claimSet), claims))) instanceof ConfigurationError);
      }
      assert.equal(await backendCalls(), 0);
    }));

  test('shows its backend who it is', () =>
    withRuntime(async (runtime) => {
      await fixture.emulator.admin('POST', '/config', { fleet_engine: { backend_key: 'backend-canary' } });
      try {
        await using stranger = device({ runtime });
        const error = await rejection(stranger.mint('driver', { vehicleid: 'v1' }));
        assert.ok(error instanceof InvalidCredentials || error instanceof AccessDenied, inspect(error));
        await using client = device({ runtime, authorization: 'Bearer backend-canary' });
        assert.equal((await client.mint('driver', { vehicleid: 'v1' })).kind, 'bearer');
        assert.ok(!inspect(client, { depth: 9 }).includes('canary'));
      } finally {
        await fixture.emulator.admin('POST', '/config', { fleet_engine: { backend_key: '' } });
      }
    }));
});

test('every provider has its class', () => {
  const classes = Object.values(fleetauth).filter(
    (value): value is new (options: object) => Client =>
      typeof value === 'function' && value.prototype instanceof Client,
  );
  const named = classes.map((Class) => {
    try {
      const client = new Class({});
      void client.close();
      return client.provider;
    } catch (error) {
      assert.ok(error instanceof ConfigurationError, inspect(error));
      return error.provider;
    }
  });
  assert.deepEqual(named.sort(), Provider.builtinNames);
});

test('a client that signs nothing refuses a signer', () =>
  withRuntime(async (runtime) => {
    const signer = () => assert.fail('nothing is signed');
    const error = await rejection(Promise.resolve().then(() => fixture.fleetUp({ ...FLEETUP, runtime, signer })));
    assert.ok(error instanceof ConfigurationError && error.message.includes('signer'));
  }));
