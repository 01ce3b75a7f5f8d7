import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { format, inspect } from 'node:util';

import { FleetOrchestrator, FleetUp, OtpRequired, Runtime } from 'fleetauth';
import type { HttpAnswer, HttpCall } from 'fleetauth';

import { rejection } from './support';

const SECRETS = ['canary-api-key', 'canary-secret', 'canary-token', 'canary-code'];
const OPTIONS = { apiKey: 'canary-api-key', acctId: 1, secret: 'canary-secret' };
const JSON_TYPE = [['content-type', 'application/json']] as const;

/** Everything that a program would print, log or send to an error tracker. */
function shown(value: unknown): string[] {
  const error = value instanceof Error ? [value.message, String(value.stack), JSON.stringify(value)] : [];
  return [
    inspect(value, { depth: 10, showHidden: true }),
    format('%s %o %j', value, value, value),
    String(value),
    ...error,
  ];
}

function assertSilent(value: unknown, what: string): void {
  for (const text of shown(value)) {
    for (const secret of SECRETS) assert.ok(!text.includes(secret), `${what} shows ${secret}: ${text}`);
  }
}

describe('no secret is shown by', () => {
  test('L03 clients, tokens and what holds them', async () => {
    await using runtime = new Runtime();
    const transport = () => ({ status: 200, headers: JSON_TYPE, body: '{"token":"canary-token"}' });
    await using client = new FleetUp({ ...OPTIONS, runtime, transport });
    const token = await client.token();
    assert.equal(token.reveal(), 'canary-token');
    assertSilent(client, 'the client');
    assertSilent(token, 'the token');
    assertSilent({ client, token, list: [token] }, 'an object around them');
    assert.equal(inspect(client), "FleetUp { provider: 'fleetup' }");

    const headers = await client.headers('https://api.fleetup.net/devices');
    assert.equal(headers.Authorization, 'Bearer canary-token');
    assert.equal(inspect(headers), "{ Authorization: '[redacted]', 'x-api-key': '[redacted]' }");
    assert.deepEqual({ ...headers }, { Authorization: 'Bearer canary-token', 'x-api-key': 'canary-api-key' });
  });

  test('L03 errors, whatever the provider answers', async () => {
    const answers = [
      {
        status: 401,
        headers: JSON_TYPE,
        body: JSON.stringify({ error: 'canary-secret', message: 'key canary-api-key' }),
      },
      { status: 200, headers: JSON_TYPE, body: '{"token":"canary-token' },
      { status: 500, headers: [], body: 'canary-secret' },
      { status: 302, headers: [['Location', 'https://x.example/?secret=canary-secret']] as const, body: null },
    ];
    for (const answer of answers) {
      await using runtime = new Runtime();
      await using client = new FleetUp({ ...OPTIONS, runtime, transport: () => answer, totalTimeoutMs: 300 });
      assertSilent(await rejection(client.token()), `the error for ${answer.status}`);
    }
  });

  test('L03 challenges and the errors that carry them', async () => {
    const answers: Record<string, HttpAnswer> = {
      login: { status: 200, headers: JSON_TYPE, body: '{"requires2FA":true,"tempToken":"canary-token"}' },
      'verify-otp': { status: 401, headers: JSON_TYPE, body: '{"message":"canary-code of canary-token is wrong"}' },
    };
    const transport = (call: HttpCall) => answers[call.url.split('/').at(-1) ?? ''] ?? assert.fail(call.url);
    await using runtime = new Runtime();
    const options = { email: 'user@fleet.example', password: 'canary-secret', runtime, transport };
    await using client = new FleetOrchestrator(options);
    const required = await rejection(client.token());
    assert.ok(required instanceof OtpRequired && required.challenge);
    assertSilent(required, 'the error');
    assertSilent(required.challenge, 'the challenge');
    assert.match(inspect(required.challenge), /^Challenge \{ expires 20\S+Z \}$/);
    assertSilent(await rejection(client.answer(required.challenge, 'canary-code')), 'the error for a wrong code');
    const sealed = client.sealChallenge(required.challenge, Buffer.alloc(32, 1));
    for (const secret of SECRETS) assert.ok(!sealed.includes(secret), `${secret} is in what was sealed`);
  });

  test('errors about options', () => {
    for (const wrong of [
      { ...OPTIONS, nonsense: 'canary-secret' },
      { ...OPTIONS, acctId: 'canary-secret' as unknown as number },
    ]) {
      assert.throws(
        () => new FleetUp(wrong),
        (error) => {
          assertSilent(error, 'the error');
          return true;
        },
      );
    }
  });

  test('the requests that a transport gets', async () => {
    let seen: HttpCall | undefined;
    await using runtime = new Runtime();
    const transport = (call: HttpCall) => {
      seen = call;
      assertSilent(call, 'the call');
      assert.match(Buffer.from(call.body).toString(), /canary-secret/);
      return { status: 200, headers: JSON_TYPE, body: '{"token":"canary-token"}' };
    };
    await using client = new FleetUp({ ...OPTIONS, runtime, transport });
    await client.token();
    await new Promise(setImmediate);
    assert.ok(
      seen?.body.every((byte) => byte === 0),
      'the body is wiped when the call has been answered',
    );
  });
});
