import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { format, inspect } from 'node:util';

import {
  Challenge,
  Closed,
  ConfigurationError,
  FleetAuthError,
  FleetOrchestrator,
  LoginRequired,
  ManualClock,
  OtpRequired,
  ProviderUnavailable,
  Runtime,
  TimeoutError,
} from 'fleetauth';
import type { Client, HttpCall } from 'fleetauth';

import { FLEETUP, ORCHESTRATOR, OTP, rejection, useEmulator, withRuntime } from './support';

const fixture = useEmulator();
const KEY = Buffer.alloc(32, 7);
const wrong = (value: unknown) => value as never;

/** The requests that the emulator got, without the provider's prefix: `auth/login`. */
async function requests(provider: string): Promise<string[]> {
  const entries = await fixture.emulator.log({ provider });
  return entries.map(({ endpoint }) => endpoint.split('/').slice(2).join('/'));
}

/** The challenge of a login that asks for a one-time code. */
async function challengeOf(client: Client): Promise<Challenge> {
  const error = await rejection(client.token());
  assert.ok(error instanceof OtpRequired, inspect(error));
  assert.equal(error.code, 'FLEETAUTH_E_OTP_REQUIRED');
  assert.ok(error.challenge instanceof Challenge);
  return error.challenge;
}

describe('a one-time code', () => {
  test('completes a login, which then lives as any other', async () => {
    const clock = new ManualClock(new Date());
    await using runtime = new Runtime({ clock });
    await using client = fixture.fleetOrchestrator({ runtime });
    const challenge = await challengeOf(client);
    assert.equal(challenge.account, undefined);
    const left = challenge.expiresAt.getTime() - Date.now();
    assert.ok(left > 200_000 && left <= 300_000, String(left));

    const refused = await rejection(client.answer(challenge, '000000'));
    assert.ok(refused instanceof OtpRequired);
    assert.equal(refused.code, 'FLEETAUTH_E_OTP_REJECTED');
    assert.equal(refused.challenge, undefined);

    const token = await client.answer(challenge, OTP);
    assert.equal(token.kind, 'bearer');
    assert.equal((await client.token()).reveal(), token.reveal());
    const over = await rejection(client.answer(challenge, OTP));
    assert.ok(over instanceof LoginRequired);
    assert.equal(over.code, 'FLEETAUTH_E_OTP_OVER');

    const { id, ...known } = await client.whoami();
    assert.ok(id);
    assert.equal(known.email, ORCHESTRATOR.email);
    assert.equal(known.role, 'dispatcher');

    clock.advance(3_700_000);
    assert.notEqual((await client.token()).reveal(), token.reveal());
    await client.logout();
    assert.equal(client.peekToken(), undefined);
    await challengeOf(client);
    const sent = ['login', 'verify-otp', 'verify-otp', 'whoami', 'refresh-token', 'login'];
    assert.deepEqual(
      await requests('fleet_orchestrator'),
      sent.map((name) => `auth/${name}`),
    );
  });

  test('may be bytes', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetOrchestrator({ runtime });
      const code = Buffer.from(OTP);
      await client.answer(await challengeOf(client), code);
      assert.equal(code.toString(), OTP, 'the bytes are the caller’s to wipe');
    }));

  test('can be given in another process, for a sealed challenge', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetOrchestrator({ runtime });
      const challenge = await challengeOf(client);
      const sealed = client.sealChallenge(challenge, KEY);
      assert.ok(sealed instanceof Uint8Array);

      await using elsewhere = new Runtime();
      await using other = fixture.fleetOrchestrator({ runtime: elsewhere });
      const opened = other.openChallenge(new Uint8Array(sealed), new Uint8Array(KEY));
      assert.deepEqual(opened.expiresAt, challenge.expiresAt);
      assert.equal((await other.answer(opened, OTP)).kind, 'bearer');
      assert.equal((await other.whoami()).email, ORCHESTRATOR.email);
    }));

  test('is of no use for what was sealed by another key or client, or is damaged', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetOrchestrator({ runtime });
      await using stranger = fixture.fleetOrchestrator({ runtime, email: 'totp@fleet.example' });
      const challenge = await challengeOf(client);
      const sealed = client.sealChallenge(challenge, KEY);
      const damaged = Buffer.from(sealed.map((byte, index) => (index === sealed.length - 1 ? byte ^ 1 : byte)));
      const code = (expected: string) => (error: unknown) => error instanceof FleetAuthError && error.code === expected;
      assert.throws(() => client.openChallenge(sealed, Buffer.alloc(32, 8)), code('FLEETAUTH_E_KEY'));
      assert.throws(() => stranger.openChallenge(sealed, KEY), code('FLEETAUTH_E_CRYPTO'));
      assert.throws(() => client.openChallenge(damaged, KEY), code('FLEETAUTH_E_CRYPTO'));
      assert.throws(() => client.sealChallenge(challenge, KEY.subarray(1)), /31 bytes.*32/);
    }));

  test('and its challenge have the right types, or the argument is named', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetOrchestrator({ runtime });
      const challenge = await challengeOf(client);
      const sealed = client.sealChallenge(challenge, KEY);
      const named = (name: string) => (error: unknown) => error instanceof TypeError && error.message.includes(name);
      for (const value of [undefined, null, {}, 'challenge']) {
        assert.ok(named('challenge')(await rejection(client.answer(wrong(value), OTP))));
        assert.throws(() => client.sealChallenge(wrong(value), KEY), named('challenge'));
      }
      assert.ok(named('code')(await rejection(client.answer(challenge, wrong(123456)))));
      assert.throws(() => client.sealChallenge(challenge, wrong('key')), named('key'));
      assert.throws(() => client.openChallenge(wrong('sealed'), KEY), named('sealed'));
      assert.throws(() => client.openChallenge(sealed, wrong(undefined)), named('key'));
      await client.answer(challenge, OTP);
    }));

  test('is asked for with an error and a challenge that print well', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetOrchestrator({ runtime });
      const challenge = await challengeOf(client);
      const expires = challenge.expiresAt.toISOString();
      assert.equal(inspect(challenge), `Challenge { expires ${expires} }`);
      assert.equal(format('%s', String(challenge)), 'Challenge()');
      assert.equal(JSON.stringify(challenge), `{"expiresAt":"${expires}"}`);
    }));
});

describe('whoami', () => {
  test('asks the provider each time and is read-only', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetOrchestrator({ runtime, email: 'admin@fleet.example' });
      const identity = await client.whoami();
      assert.deepEqual(Object.keys(identity), ['id', 'email', 'role', 'company', 'site']);
      assert.equal(identity.role, 'admin');
      assert.equal(identity.nothing, undefined);
      assert.ok(Object.isFrozen(identity));
      assert.ok(inspect(identity).includes("email: 'admin@fleet.example'"));
      assert.deepEqual(await client.whoami(), identity);
      assert.deepEqual(await requests('fleet_orchestrator'), ['auth/login', 'auth/whoami', 'auth/whoami']);
    }));

  test('has only the fields that the answer has, also through a transport', async () => {
    const transport = (call: HttpCall) => ({
      status: 200,
      headers: [['content-type', 'application/json']] as const,
      body: call.url.endsWith('/whoami') ? '{"_id":7,"email":"a@b.example"}' : '{"accessToken":"t","expiresIn":3600}',
    });
    await using runtime = new Runtime();
    await using client = new FleetOrchestrator({ apiKey: 'k', runtime, transport });
    const identity = await client.whoami();
    assert.equal(identity.email, 'a@b.example');
    assert.ok(!('role' in identity));
  });

  test('renews a token that was revoked', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetOrchestrator({ runtime, email: 'viewer@fleet.example' });
      await client.token();
      await fixture.emulator.admin('POST', '/revoke', { provider: 'fleet_orchestrator' });
      assert.equal((await client.whoami()).role, 'viewer');
    }));

  test('is refused where the provider does not tell', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetUp({ runtime });
      for (const question of [client.whoami(), client.accounts()]) {
        const error = await rejection(question);
        assert.ok(error instanceof ConfigurationError);
        assert.equal(error.code, 'FLEETAUTH_E_UNSUPPORTED');
        assert.equal(error.provider, 'fleetup');
      }
    }));
});

describe('accounts', () => {
  test('are listed with what people call them', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.trimbleMaps({ runtime });
      const accounts = await client.accounts();
      assert.deepEqual(accounts, [
        { id: 'FLTACC1', name: 'Fleet Account 1' },
        { id: 'FLTACC2', name: 'Fleet Account 2' },
      ]);
      assert.ok(Object.isFrozen(accounts[0]));
    }));

  test('have a token and headers each, through one client', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.trimbleMaps({ runtime });
      const url = fixture.emulator.baseUrl('trimble_maps') + '/vehicles';
      const ids = (await client.accounts()).map(({ id }) => id);
      const tokens = await Promise.all(ids.map((account) => client.token({ account })));
      assert.equal(new Set(tokens.map((token) => token.fingerprint)).size, 2);
      for (const [index, account] of ids.entries()) {
        const authorization = `Bearer ${tokens[index]?.reveal() ?? ''}`;
        const headers = client.peek(url, { account });
        assert.equal(headers?.Authorization, authorization);
        assert.equal(await client.headers(url, { account }), headers, 'they are kept for each account');
        assert.equal(client.peekToken({ account })?.fingerprint, tokens[index]?.fingerprint);
        const response = await fixture.fetch(client, url, { account });
        assert.equal(response.status, 200);
        assert.ok((await response.text()).includes(account));
      }
      assert.notEqual(client.peek(url)?.Authorization, client.peek(url, { account: ids[0] })?.Authorization);
      assert.equal((await requests('trimble_maps')).filter((path) => path === 'accounts/authenticate').length, 3);
    }));

  test('are told apart whatever characters they hold', async () => {
    const transport = (call: HttpCall) => {
      const { accountId = 'none' } = JSON.parse(Buffer.from(call.body).toString()) as { accountId?: string };
      const body = JSON.stringify({ token: Buffer.from(accountId).toString('hex'), expires: '2999-01-01T00:00:00Z' });
      return { status: 200, headers: [['content-type', 'application/json']] as const, body };
    };
    await using runtime = new Runtime();
    await using client = fixture.trimbleMaps({ runtime, transport });
    const url = fixture.emulator.baseUrl('trimble_maps') + '/vehicles';
    const accounts = ['a', 'a ', `a 1 ${url}`, `1 a${url}`, 'GET', 'ä', '\u{1F69A}', undefined];
    for (const round of [1, 2]) {
      for (const account of accounts) {
        const { Authorization } = await client.headers(url, { account });
        assert.equal(Authorization, `Bearer ${Buffer.from(account ?? 'none').toString('hex')}`, `round ${round}`);
      }
    }
  });

  test('beyond those that may be kept are logged in again', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.trimbleMaps({ runtime, maxTokens: 1 });
      const first = await client.token({ account: 'FLTACC1' });
      await client.token({ account: 'FLTACC2' });
      assert.equal(client.peekToken({ account: 'FLTACC1' }), undefined);
      assert.notEqual((await client.token({ account: 'FLTACC1' })).fingerprint, first.fingerprint);
    }));

  test('are refused where a provider has no tokens of accounts, and by their type', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetUp({ runtime });
      const url = fixture.emulator.baseUrl('fleetup') + '/devices';
      const unsupported = await rejection(client.token({ account: String(FLEETUP.acctId) }));
      assert.ok(unsupported instanceof ConfigurationError);
      assert.equal(unsupported.code, 'FLEETAUTH_E_UNSUPPORTED');
      assert.throws(() => client.peek(url, { account: 'a' }), ConfigurationError);
      assert.throws(() => client.peekToken({ account: wrong({}) }), /TypeError: The option account must be/);
    }));
});

describe('logout', () => {
  const revocations = { match: { provider: 'oauth2', path: '/oauth2/revoke' }, times: 10 };

  test('revokes the token and forgets it, in all clients that share it', () =>
    withRuntime(async (runtime) => {
      const url = fixture.emulator.baseUrl('oauth2', 'api') + '/resource';
      await using client = fixture.oauth2({ runtime, revokePath: 'revoke' });
      await using twin = fixture.oauth2({ runtime, revokePath: 'revoke' });
      const before = await client.token();
      const headers = await client.headers(url);
      assert.equal(twin.peek(url)?.Authorization, headers.Authorization);
      await client.logout();
      assert.deepEqual(await requests('oauth2'), ['token', 'revoke']);
      for (const one of [client, twin]) {
        assert.equal(one.peekToken(), undefined);
        assert.equal(one.peek(url), undefined);
      }
      assert.equal((await fixture.fetch(client, url)).status, 200);
      assert.notEqual((await client.token()).reveal(), before.reveal());
      assert.deepEqual(await requests('oauth2'), ['token', 'revoke', 'token', 'resource']);
    }));

  test('ends the login of a refresh token', () =>
    withRuntime(async (runtime) => {
      const config = { oauth2: { first_refresh_tokens: ['refresh-token-of-this-test'] } };
      await fixture.emulator.admin('POST', '/config', config);
      const options = { runtime, revokePath: 'revoke', refreshToken: 'refresh-token-of-this-test' };
      await using client = fixture.oauth2(options);
      await client.token();
      await client.logout();
      assert.deepEqual((await requests('oauth2')).slice(0, 2), ['token', 'revoke']);
      assert.ok((await rejection(client.token())) instanceof LoginRequired);
    }));

  test('has nothing to revoke before a login', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.oauth2({ runtime, revokePath: 'revoke' });
      await client.logout();
      assert.deepEqual(await requests('oauth2'), []);
    }));

  test('forgets the tokens even when the revocation fails', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.oauth2({ runtime, revokePath: 'revoke' });
      await client.token();
      await fixture.emulator.faults({ ...revocations, do: { status: 503 } });
      assert.ok((await rejection(client.logout())) instanceof ProviderUnavailable);
      assert.equal(client.peekToken(), undefined);
    }));

  test('can be left waiting by an abort; the tokens are forgotten all the same', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.oauth2({ runtime, revokePath: 'revoke' });
      await client.token();
      await fixture.emulator.faults({ ...revocations, do: { hold: 'revoke' } });
      const controller = new AbortController();
      const reason = new Error('the user left');
      const waiting = rejection(client.logout({ signal: controller.signal }));
      await fixture.emulator.log({ endpoint: '/oauth2/revoke', waitFor: 1 });
      controller.abort(reason);
      assert.equal(await waiting, reason);
      assert.equal(client.peekToken(), undefined);
      assert.equal(await rejection(client.logout({ signal: controller.signal })), reason);
      await fixture.emulator.release('revoke');
    }));
});

describe('patience with questions and codes', () => {
  const hold = (path: string) => ({
    match: { provider: 'fleet_orchestrator', path: `/fo/auth/${path}` },
    times: 10,
    do: { hold: path },
  });

  test('R09 an abort ends the wait', () =>
    withRuntime(async (runtime) => {
      await using client = fixture.fleetOrchestrator({ runtime });
      const challenge = await challengeOf(client);
      const reason = new Error('the user left');
      for (const [path, ask] of [
        ['verify-otp', (signal: AbortSignal) => client.answer(challenge, OTP, { signal })],
        ['whoami', (signal: AbortSignal) => client.whoami({ signal })],
      ] as const) {
        await fixture.emulator.faults(hold(path));
        const controller = new AbortController();
        const waiting = rejection(ask(controller.signal));
        await fixture.emulator.log({ endpoint: `/fo/auth/${path}`, waitFor: 1 });
        controller.abort(reason);
        assert.equal(await waiting, reason);
        assert.equal(await rejection(ask(controller.signal)), reason, 'an abort that was before it');
        await fixture.emulator.release(path);
        await client.token(); // the answer of before has logged in
      }
    }));

  test('timeoutMs and closing end it, too', () =>
    withRuntime(async (runtime) => {
      const client = fixture.fleetOrchestrator({ runtime, email: 'driver@fleet.example' });
      await client.token();
      await fixture.emulator.faults(hold('whoami'));
      assert.ok((await rejection(client.whoami({ timeoutMs: 50 }))) instanceof TimeoutError);
      const waiting = rejection(client.whoami());
      await client.close();
      assert.ok((await waiting) instanceof Closed);
      for (const late of [client.whoami(), client.accounts(), client.logout()]) {
        assert.ok((await rejection(late)) instanceof Closed);
      }
      await fixture.emulator.release('whoami');
    }));
});
