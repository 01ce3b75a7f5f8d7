import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  AccessDenied,
  Client,
  Closed,
  ConfigurationError,
  FleetAuthError,
  FleetUp,
  InvalidCredentials,
  ManualClock,
  NetworkError,
  Provider,
  ProviderUnavailable,
  RateLimited,
  Runtime,
  TimeoutError,
} from 'fleetauth';
import type { OtpRequired } from 'fleetauth';
import { liveHandles } from 'fleetauth/testing';

import { FLEETUP, handlesBackTo, OTP, rejection, useEmulator, withRuntime } from './support';

const fixture = useEmulator();

describe('a token', () => {
  test('comes from the provider once and then from memory', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetUp({ runtime });
      assert.equal(client.peekToken(), undefined);
      const token = await client.token();
      assert.equal(token.kind, 'bearer');
      assert.equal(token.scheme, 'jwt');
      assert.equal(token.fromCache, false);
      assert.match(token.fingerprint, /^tok:[0-9a-f]{8}$/);
      assert.equal(token.reveal().split('.').length, 3);
      assert.ok(token.expiresInMs > 3_500_000 && token.expiresInMs <= 3_600_000, String(token.expiresInMs));
      assert.ok(token.expiresAt && Math.abs(token.expiresAt.getTime() - Date.now() - token.expiresInMs) < 5_000);
      const again = await client.token();
      assert.equal(again.fromCache, true);
      assert.equal(again.reveal(), token.reveal());
      assert.equal(client.peekToken()?.fingerprint, token.fingerprint);
      assert.equal((await fixture.emulator.log({ endpoint: '/fleetup/token' })).length, 1);
    }));

  test('is fetched once for any number of callers', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetUp({ runtime });
      await using twin = fixture.fleetUp({ runtime });
      await fixture.emulator.faults({
        match: { provider: 'fleetup', path: '/fleetup/token' },
        times: 1,
        do: { hold: 'herd' },
      });
      const waiting = Array.from({ length: 1000 }, (_, index) => (index % 2 === 0 ? client : twin).token());
      await fixture.emulator.release('herd');
      const tokens = await Promise.all(waiting);
      assert.equal(new Set(tokens.map((token) => token.fingerprint)).size, 1);
      assert.equal((await fixture.emulator.log({ endpoint: '/fleetup/token' })).length, 1);
    }));

  test('is as old as the manual clock says', async () => {
    const clock = new ManualClock(new Date());
    await using runtime = new Runtime({ clock });
    await using client = fixture.fleetUp({ runtime });
    const first = await client.token();
    clock.advance(3_700_000);
    assert.equal(first.expiresInMs, 0);
    assert.equal(client.peekToken(), undefined);
    const second = await client.token();
    assert.equal(second.fromCache, false);
    assert.equal((await fixture.emulator.log({ endpoint: '/fleetup/token' })).length, 2);
  });

  test('that lives too short for this caller is renewed', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetUp({ runtime });
      await client.token();
      assert.notEqual(client.peekToken({ minRemainingMs: 60_000 }), undefined);
      assert.equal(client.peekToken({ minRemainingMs: 7_200_000 }), undefined);
    }));
});

describe('headers', () => {
  test('are those of the API the URL belongs to', () =>
    withRuntime(async (runtime) => {
      await using fleetUp = fixture.fleetUp({ runtime });
      const url = fixture.emulator.baseUrl('fleetup') + '/devices';
      assert.equal(fleetUp.peek(url), undefined);
      const headers = await fleetUp.headers(url);
      assert.deepEqual(Object.keys(headers).sort(), ['Authorization', 'x-api-key']);
      assert.equal(headers['x-api-key'], FLEETUP.apiKey);
      assert.equal(headers.Authorization, `Bearer ${(await fleetUp.token()).reveal()}`);

      await using mcf = fixture.myConnectedFleet({ runtime });
      const base = fixture.emulator.baseUrl('my_connected_fleet', 'api');
      const basic = mcf.peek(`${base}/connect-webservices/services/public/v1/customer/7/tracking/live`);
      assert.deepEqual(basic, { Authorization: 'Basic ' + Buffer.from('demo-client:demo-secret').toString('base64') });
      const jobs = await mcf.headers(`${base}/job-management/v1/customer/7/jobs`);
      assert.match(jobs['x-connect-token'] ?? '', /^TOKEN .{32}$/);
    }));

  test('are the same object while the token is, and another one afterwards', async () => {
    const clock = new ManualClock(new Date());
    await using runtime = new Runtime({ clock });
    await using client = fixture.fleetUp({ runtime });
    const url = fixture.emulator.baseUrl('fleetup') + '/devices';
    const first = await client.headers(url);
    assert.equal(await client.headers(url), first);
    assert.equal(client.peek(url), first);
    assert.equal(client.peek(new URL(url)), first);
    assert.ok(Object.isFrozen(first));
    clock.advance(3_700_000);
    assert.equal(client.peek(url), undefined);
    assert.notEqual((await client.headers(url)).Authorization, first.Authorization);
  });

  test('do not outlive the client', () =>
    withRuntime(async (runtime) => {
      const client = fixture.fleetUp({ runtime });
      await using twin = fixture.fleetUp({ runtime }); // has the token live on
      const url = fixture.emulator.baseUrl('fleetup') + '/devices';
      await client.headers(url);
      assert.ok(twin.peek(url));
      await client.close();
      await client.close();
      assert.throws(() => client.peek(url), Closed);
      assert.ok((await rejection(client.headers(url))) instanceof Closed);
      assert.ok((await rejection(client.token())) instanceof Closed);
    }));

  test('are not given out for another origin', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetUp({ runtime });
      const error = await rejection(client.headers('https://evil.example/devices'));
      assert.ok(error instanceof ConfigurationError);
      assert.equal(error.code, 'FLEETAUTH_E_FOREIGN_ORIGIN');
    }));
});

describe('a refused token', () => {
  test('H08 is renewed by fetch, and the request repeated once', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetUp({ runtime });
      const url = fixture.emulator.baseUrl('fleetup') + '/devices';
      const before = await client.token();
      await fixture.emulator.admin('POST', '/revoke', { provider: 'fleetup' });
      const response = await fixture.fetch(client, url);
      assert.equal(response.status, 200);
      assert.notEqual((await client.token()).fingerprint, before.fingerprint);
      assert.equal((await fixture.emulator.log({ endpoint: '/fleetup/token' })).length, 2);
    }));

  test('H08 is reported by those who send requests themselves', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetUp({ runtime });
      const url = fixture.emulator.baseUrl('fleetup') + '/devices';
      const headers = await client.headers(url);
      assert.equal(client.reportRejected(headers), 'retry');
      assert.equal(client.reportRejected(headers), 'retry', 'any number of reports of one token cause one renewal');
      const renewed = await client.headers(url);
      assert.notEqual(renewed, headers);
      assert.equal(client.reportRejected(renewed), 'stop', 'a fresh token that is refused is no reason for another');
      assert.throws(() => client.reportRejected({ ...renewed }), /not a copy/);
    }));
});

describe('errors', () => {
  const failing = async (options: object): Promise<unknown> => {
    await using runtime = new Runtime();
    await using client = fixture.fleetUp({ runtime, ...options });
    return await rejection(client.token());
  };

  test('of wrong credentials say so', async () => {
    const error = await failing({ secret: 'wrong-secret-canary' });
    assert.ok(error instanceof InvalidCredentials && error instanceof FleetAuthError && error instanceof Error);
    assert.equal(error.name, 'InvalidCredentials');
    assert.equal(error.code, 'FLEETAUTH_E_INVALID_CREDENTIALS');
    assert.equal(error.status, 40);
    assert.equal(error.httpStatus, 401);
    assert.equal(error.provider, 'fleetup');
    assert.equal(error.retryable, false);
  });

  test('of a provider that throttles say how long to wait', async () => {
    await fixture.emulator.faults({
      match: { provider: 'fleetup', path: '/fleetup/token' },
      times: 10,
      do: { status: 429, headers: { 'Retry-After': '120' } },
    });
    const error = await failing({});
    assert.ok(error instanceof RateLimited);
    assert.equal(error.retryable, true);
    assert.ok(error.retryAfterMs !== undefined && error.retryAfterMs > 60_000);
  });

  test('of a portal page in between are the provider’s', async () => {
    await fixture.emulator.faults({ match: { path: '/fleetup/token' }, times: 10, do: { html: true } });
    assert.ok((await failing({})) instanceof ProviderUnavailable);
  });

  test('of the network and of TLS are told apart', async () => {
    const refused = await failing({ baseUrl: 'https://127.0.0.1:1' });
    assert.ok(refused instanceof NetworkError);
    assert.equal(refused.code, 'FLEETAUTH_E_CONNECT');
    const untrusted = await failing({ caFile: undefined });
    assert.ok(untrusted instanceof NetworkError);
    assert.equal(untrusted.code, 'FLEETAUTH_E_TLS');
  });

  test('of options name the option', () => {
    const make = (options: object) => new FleetUp({ ...FLEETUP, ...options });
    assert.throws(() => make({ secrett: 'x' }), /secrett/);
    assert.throws(() => make({ acctId: 'twelve' }), ConfigurationError);
    assert.throws(() => make({ acctId: 1.5 }), ConfigurationError);
    assert.throws(() => make({ connectTimeoutMs: 0 }), /connect_timeout_ms/);
    assert.throws(() => make({ apiKey: undefined }), /api_key/);
    assert.throws(() => make({ proxy: {} }), /proxy must be/);
    assert.throws(() => make({ transport: 'curl' }), /transport must be a function/);
    assert.throws(() => new Client('no_such_provider', {}), /fleetup/);
    assert.throws(() => Provider.fromJson('{', 'mine.json'), /mine\.json/);
  });
});

describe('patience', () => {
  const held = { match: { provider: 'fleetup', path: '/fleetup/token' }, times: 1, do: { hold: 'patience' } };

  test('R09 an abort ends the wait and not the fetch', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetUp({ runtime });
      await fixture.emulator.faults(held);
      const controller = new AbortController();
      const reason = new Error('the user left');
      const one = client.token({ signal: controller.signal });
      const other = client.token();
      await fixture.emulator.log({ endpoint: '/fleetup/token', waitFor: 1 });
      controller.abort(reason);
      assert.equal(await rejection(one), reason);
      assert.equal(await rejection(client.token({ signal: controller.signal })), reason);
      await fixture.emulator.release('patience');
      await other;
      assert.equal((await fixture.emulator.log({ endpoint: '/fleetup/token' })).length, 1);
    }));

  test('timeoutMs ends the wait with a TimeoutError', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetUp({ runtime });
      await fixture.emulator.faults(held);
      const error = await rejection(client.token({ timeoutMs: 50 }));
      assert.ok(error instanceof TimeoutError);
      await fixture.emulator.release('patience');
      await client.token();
    }));

  test('closing fails what is in flight', () =>
    withRuntime(async (runtime) => {
      const client = fixture.fleetUp({ runtime });
      await fixture.emulator.faults(held);
      const waiting = rejection(client.token());
      await client.close();
      assert.ok((await waiting) instanceof Closed);
      await fixture.emulator.release('patience');
    }));

  test('closing the runtime does, too', async () => {
    const runtime = new Runtime();
    const client = fixture.fleetUp({ runtime });
    await fixture.emulator.faults(held);
    const waiting = rejection(client.token());
    await runtime.close();
    await runtime.close();
    assert.ok((await waiting) instanceof Closed);
    await fixture.emulator.release('patience');
  });
});

test('providers are data', () => {
  const names = Provider.builtinNames;
  assert.deepEqual(names, [...names].sort());
  for (const known of ['fleet_orchestrator', 'fleetup', 'my_connected_fleet', 'oauth2', 'trimble_maps']) {
    assert.ok(names.includes(known), known);
  }
  for (const one of names) assert.equal(Provider.builtin(one).name, one);
  const { name, description } = Provider.builtin('fleetup');
  assert.equal(name, 'fleetup');
  const copy = Provider.fromJson(JSON.stringify({ ...description, name: 'copy_of_fleetup' }));
  assert.equal(copy.name, 'copy_of_fleetup');
  assert.equal(new Client(copy, FLEETUP).provider, 'copy_of_fleetup');
});

test('an access that the provider denies is no reason to log in again', () => {
  // The class exists for callers who map a second 401 or a 403 themselves.
  assert.ok(AccessDenied.prototype instanceof FleetAuthError);
});

test('nothing is left behind', async () => {
  await fixture.fleetUp().token(); // the shared runtime and its queue stay
  await handlesBackTo(Number.MAX_SAFE_INTEGER);
  globalThis.gc?.();
  const before = liveHandles();
  await withRuntime(async (runtime) => {
    for (let round = 0; round < 10; ++round) {
      const client = fixture.fleetUp({ runtime });
      await client.headers(fixture.emulator.baseUrl('fleetup') + '/devices');
      await client.token();
      await client.close();
      const reseller = fixture.trimbleMaps({ runtime });
      for (const { id } of await reseller.accounts()) await reseller.token({ account: id });
      await reseller.close();
      const user = fixture.fleetOrchestrator({ runtime });
      const { challenge } = (await rejection(user.token())) as OtpRequired;
      assert.ok(challenge);
      const key = Buffer.alloc(32, 1);
      await user.answer(user.openChallenge(user.sealChallenge(challenge, key), key), OTP);
      await user.whoami();
      await user.logout();
      await user.close();
    }
  });
  await handlesBackTo(before);
});
