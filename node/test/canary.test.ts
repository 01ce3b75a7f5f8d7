import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';

import { Client, FleetAuthError, FleetOrchestrator, FleetUp, ManualClock, OtpRequired, Runtime } from 'fleetauth';
import type { HttpAnswer, HttpCall, Token } from 'fleetauth';

import { assertSilent, canary, shared } from './canaries';
import type { ClientSpec, Phase, Scenario } from './canaries';
import { rejection } from './support';

const API_KEY = canary('api_key');
const SECRET = canary('secret');
const TOKEN = canary('token');
const CODE = canary('code');
const OPTIONS = { apiKey: API_KEY, acctId: 1, secret: SECRET };
const WAITING = Symbol('waiting');
const JSON_TYPE = [['content-type', 'application/json']] as const;
const GOOD = { status: 200, headers: JSON_TYPE, body: JSON.stringify({ token: TOKEN }) };

/** A program that does everything with a client, whose provider answers as a scenario says; what comes of it is looked at. */
class Play {
  readonly #client: Client;
  readonly #runtime: Runtime;
  readonly #clock = new ManualClock(Date.parse('2026-01-01T00:00:00Z'));
  #phase: Phase = 'first';
  errors = 0;

  constructor(
    private readonly spec: ClientSpec,
    private readonly scenario: Scenario,
  ) {
    this.#runtime = new Runtime({ clock: this.#clock });
    const own = { runtime: this.#runtime, transport: (call: HttpCall) => this.#answer(call) };
    this.#client = new Client(spec.provider, { ...spec.options, ...own });
  }

  async run(): Promise<void> {
    const { claim_set: claimSet, claims } = this.spec.request;
    const token = () => this.#client.token({ claimSet, claims });
    const first = await this.#ask('first', token());
    assert.ok(first !== undefined || this.scenario.first !== 'good');
    // Headers are there to be sent: what is printed of them holds no secret, JSON and clones do.
    await this.#ask('first', this.#client.headers(this.spec.url, { claimSet, claims }), inspect);
    await this.#ask('inquiry', this.#client.whoami());
    await this.#ask('inquiry', this.#client.accounts());
    if (first !== undefined) this.#client.reportRejected(first);
    await this.#ask('renewal', token());
    await this.#ask('logout', this.#client.logout());
    await this.#client.close();
    await this.#ask('first', token());
    assertSilent(this.#client, 'the client');
    assertSilent(this.#runtime, 'the runtime');
    await this.#runtime.close();
  }

  async #ask<T>(
    phase: Phase,
    pending: Promise<T>,
    print: (value: T) => unknown = (value) => value,
  ): Promise<T | undefined> {
    this.#phase = phase;
    const settled = pending.catch(() => undefined);
    // It waits for its turn, for another attempt, or for an answer that never comes.
    while ((await Promise.race([settled, sleep(20, WAITING)])) === WAITING) this.#clock.advance(5_000);
    try {
      const value = await pending;
      assertSilent(print(value), `what the ${phase} came to`);
      return value;
    } catch (error) {
      assert.ok(error instanceof FleetAuthError, inspect(error));
      assertSilent(error, `the error of the ${phase}`);
      ++this.errors;
      if (error instanceof OtpRequired && error.challenge && phase === 'first')
        await this.#answerChallenge(error.challenge);
      return undefined;
    }
  }

  async #answerChallenge(challenge: NonNullable<OtpRequired['challenge']>): Promise<void> {
    assertSilent(challenge, 'the challenge');
    const sealed = this.#client.sealChallenge(challenge, Buffer.alloc(32, 1));
    assertSilent(sealed.toString('latin1'), 'the sealed challenge');
    await this.#ask<Token>('code', this.#client.answer(challenge, CODE));
  }

  #answer(call: HttpCall): Promise<HttpAnswer> | HttpAnswer {
    assertSilent(call, 'the call');
    const name = this.scenario[this.#phase] ?? 'good';
    if (name !== 'silence') return name === 'good' ? this.spec.good : (shared.answers[name] ?? assert.fail(name));
    return new Promise((_, reject) => {
      call.signal.addEventListener('abort', () => {
        reject(new Error('aborted'));
      });
    });
  }
}

describe('no secret is shown by', () => {
  for (const spec of shared.clients) {
    const name = `${spec.provider} with ${spec.secrets.join(' and ')}`;

    test(`L03 a client of ${name}, whatever the provider answers`, async () => {
      const scenarios = shared.scenarios.filter(({ sent }) => sent === undefined || spec.secrets.includes(sent));
      for (const scenario of scenarios) {
        const play = new Play(spec, scenario);
        await play.run();
        assert.ok(play.errors > 0, 'at least of the closed client');
      }
    });

    test(`L03 refusals of options for ${name}`, async () => {
      await using runtime = new Runtime();
      let refused = 0;
      for (const mistake of spec.mistakes) {
        try {
          await using client = new Client(spec.provider, { ...spec.options, ...mistake, runtime });
          assertSilent(client, 'the client');
        } catch (error) {
          assertSilent(error, 'the refusal');
          ++refused;
        }
      }
      assert.ok(refused > spec.mistakes.length / 2, String(refused));
    });
  }

  test('L03 nothing, which would be found in every form and place', () => {
    for (const text of [
      TOKEN,
      Buffer.from(`user:${TOKEN}`).toString('base64'),
      Buffer.from(TOKEN, 'utf16le').toString('latin1'),
      encodeURIComponent(TOKEN),
    ]) {
      for (const value of [
        text,
        { deep: { down: { in: { a: [text] } } } },
        new Error(text),
        Object.assign(new Error(''), { text }),
      ]) {
        assert.throws(() => {
          assertSilent(value, 'it');
        }, assert.AssertionError);
      }
    }
    assert.throws(() => {
      assertSilent(Buffer.from(TOKEN), 'a buffer');
    }, assert.AssertionError);
  });

  test('L03 clients, tokens and what holds them', async () => {
    await using runtime = new Runtime();
    await using client = new FleetUp({ ...OPTIONS, runtime, transport: () => GOOD });
    const token = await client.token();
    assert.equal(token.reveal(), TOKEN);
    assertSilent({ client, token, list: [token] }, 'an object around them');
    assert.equal(inspect(client), "FleetUp { provider: 'fleetup' }");

    const headers = await client.headers('https://api.fleetup.net/devices');
    assert.equal(headers.Authorization, `Bearer ${TOKEN}`);
    assert.equal(inspect(headers), "{ Authorization: '[redacted]', 'x-api-key': '[redacted]' }");
    assert.deepEqual({ ...headers }, { Authorization: `Bearer ${TOKEN}`, 'x-api-key': API_KEY });
  });

  test('L03 challenges and the errors that carry them', async () => {
    const body = JSON.stringify({ requires2FA: true, tempToken: TOKEN });
    const transport = () => ({ status: 200, headers: JSON_TYPE, body });
    await using runtime = new Runtime();
    const options = { email: 'user@fleet.example', password: SECRET, runtime, transport };
    await using client = new FleetOrchestrator(options);
    const required = await rejection(client.token());
    assert.ok(required instanceof OtpRequired && required.challenge);
    assertSilent(required, 'the error');
    assert.match(inspect(required.challenge), /^Challenge \{ expires 20\S+Z \}$/);
  });

  test('L03 errors about arguments', async () => {
    await using runtime = new Runtime();
    await using client = new FleetUp({ ...OPTIONS, runtime, transport: () => GOOD });
    const wrong: (() => unknown)[] = [
      () => new FleetUp({ ...OPTIONS, secret: { SECRET } as unknown as string }),
      () => new FleetUp(SECRET as unknown as typeof OPTIONS),
      () => client.sealChallenge(SECRET as never, Buffer.from(SECRET)),
      () => client.openChallenge(Buffer.from(SECRET), Buffer.from(SECRET)),
      () => client.openChallenge(SECRET as never, SECRET as never),
      () => client.reportRejected(SECRET as never),
    ];
    for (const call of wrong) {
      assert.throws(call, (error) => {
        assertSilent(error, call.toString());
        return true;
      });
    }
    assertSilent(await rejection(client.answer(SECRET as never, CODE)), 'an answer to nothing');
  });

  test('the requests that a transport gets', async () => {
    let seen: HttpCall | undefined;
    await using runtime = new Runtime();
    const transport = (call: HttpCall) => {
      seen = call;
      assertSilent(call, 'the call');
      assert.deepEqual(JSON.parse(Buffer.from(call.body).toString()), { acctId: 1, secret: SECRET });
      return GOOD;
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
