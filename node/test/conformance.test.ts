import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { format, inspect } from 'node:util';

import { Client, FleetAuthError, ManualClock, Provider, Runtime, STATUS_TABLE, Token, TransportError } from 'fleetauth';
import type {
  Account,
  AuthHeaders,
  HeadersOptions,
  HttpAnswer,
  HttpCall,
  Identity,
  SignInfo,
  TransportFailure,
} from 'fleetauth';

import { until } from './support';

// The vectors are described in tests/conformance/README.md; here they go through the public classes of the package.
const FOLDER = resolve(__dirname, '..', '..', '..', 'tests', 'conformance');

type Json = Record<string, unknown>;
type Expected = Record<string, unknown>;
/** What an operation hands over; a logout nothing. */
type Value = Token | AuthHeaders | Identity | Account[] | undefined;

const CHALLENGE_KEY = Buffer.from('a key of 32 bytes for challenges');

/** What peek answers as undefined. */
const WOULD_BLOCK = { status: 'E_WOULD_BLOCK', retryable: true, http_status: 0, in_doubt: false };

interface Step {
  start?: string;
  inquire?: string;
  what?: 'identity' | 'accounts';
  answer_challenge?: string;
  of?: string;
  code?: string;
  sealed?: boolean;
  log_out?: string;
  url?: string;
  method?: string;
  request?: Json;
  expect_request?: Json;
  expect_sign?: ToSign;
  signature_base64?: string;
  answer?: Json;
  fail?: { status: string; message?: string };
  done?: string;
  peek?: { url?: string; method?: string; request?: Json };
  token?: Expected;
  headers?: Expected;
  identity?: Expected;
  accounts?: Expected[];
  error?: Expected;
  reject?: string;
  http_status?: number;
  date?: string;
  advice?: string;
  advance_ms?: number;
  step_wall_ms?: number;
  cancel?: string;
  close?: true;
  expect_cancel?: true;
  expect_nothing?: true;
}

interface ToSign {
  algorithm: string;
  data: string;
  key_id?: string;
}

interface Vector {
  name: string;
  client: { provider?: string; descriptor?: Json; options?: Json };
  wall?: string;
  secrets?: string[];
  steps?: Step[];
  client_error?: Expected;
}

/** Numbers that JavaScript cannot hold exactly become BigInts. */
function parse(text: string): unknown {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}/g, (part) => (part.startsWith('"') ? part : `"#${part}"`));
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === 'string' && /^#-?\d+$/.test(value) ? BigInt(value.slice(1)) : value,
  );
}

/** Keys in this package's spelling; an object is given as its JSON text. */
function options(members: Json = {}): Json {
  const spelled = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [
      spelled(name),
      typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
    ]),
  );
}

/** Options of a call; claims are an object here, too. */
function requestOptions({ claims, ...others }: Json = {}): Json {
  return { ...options(others), claims };
}

interface Sent {
  call: HttpCall;
  body: string;
  answer: (answer: HttpAnswer) => void;
  fail: (error: Error) => void;
}

interface Signing {
  data: string;
  info: SignInfo;
  answer: (signature: Uint8Array) => void;
  fail: (error: Error) => void;
}

interface Operation {
  abort: AbortController;
  outcome?: { value: Value } | { error: unknown };
  asked: boolean;
}

class Player {
  readonly #vector: Vector;
  readonly #clock: ManualClock;
  readonly #runtime: Runtime;
  readonly #sent: Sent[] = [];
  readonly #toSign: Signing[] = [];
  readonly #operations = new Map<string, Operation>();
  #client: Client | undefined;
  #unanswered: Sent | undefined;
  /** Of what was left unanswered or unsigned last. */
  #withdrawal: AbortSignal | undefined;
  #thrown: Error | undefined;

  constructor(vector: Vector) {
    this.#vector = vector;
    this.#clock = new ManualClock(new Date(vector.wall ?? '2026-01-01T00:00:00Z'));
    this.#runtime = new Runtime({ clock: this.#clock });
  }

  async run(): Promise<void> {
    try {
      const failure = this.#makeClient();
      if (this.#vector.client_error) {
        assert.ok(failure, 'the client could be made');
        this.#compareError(this.#vector.client_error, failure.error);
        return;
      }
      if (failure) throw failure.error;
      for (const [index, step] of (this.#vector.steps ?? []).entries()) {
        try {
          await this.#step(step);
        } catch (error) {
          throw new Error(`step ${index + 1}: ${String(error)}`, { cause: error });
        }
      }
      await this.#expectNothing();
      for (const [label, { asked }] of this.#operations) assert.ok(asked, `nobody asked for the outcome of ${label}`);
    } finally {
      this.#see(this.#client);
      await this.#client?.close();
      await this.#runtime.close();
    }
  }

  #makeClient(): { error: unknown } | undefined {
    const { provider, descriptor, options: members } = this.#vector.client;
    const transport = (call: HttpCall) =>
      new Promise<HttpAnswer>((answer, fail) => {
        this.#see(call);
        this.#sent.push({ call, body: Buffer.from(call.body).toString(), answer, fail });
      });
    const signer = (data: Buffer, info: SignInfo) =>
      new Promise<Uint8Array>((answer, fail) => {
        this.#toSign.push({ data: data.toString(), info, answer, fail });
      });
    const given = options(members);
    if (given.signer === 'host') given.signer = signer;
    try {
      const source = descriptor ? Provider.fromJson(JSON.stringify(descriptor)) : (provider ?? '');
      this.#client = new Client(source, { ...given, runtime: this.#runtime, transport });
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  get client(): Client {
    assert.ok(this.#client);
    return this.#client;
  }

  async #step(step: Step): Promise<void> {
    if (step.start !== undefined) this.#start(step.start, step);
    else if (step.inquire !== undefined) this.#inquire(step.inquire, step);
    else if (step.answer_challenge !== undefined) this.#answerChallenge(step.answer_challenge, step);
    else if (step.log_out !== undefined) this.#begin(step.log_out, (signal) => this.client.logout({ signal }));
    else if (step.expect_request) await this.#expectRequest(step.expect_request, step);
    else if (step.expect_sign) await this.#expectSign(step.expect_sign, step);
    else if (step.done !== undefined) await this.#done(step.done, step);
    else if (step.peek) this.#peek(step.peek, step);
    else if (step.reject !== undefined) this.#reject(step.reject, step);
    else if (step.answer) await this.#answer(step.answer);
    else if (step.advance_ms !== undefined) this.#clock.advance(step.advance_ms);
    else if (step.step_wall_ms !== undefined) this.#clock.stepWall(step.step_wall_ms);
    else if (step.cancel !== undefined) this.#operation(step.cancel).abort.abort();
    else if (step.close) void this.client.close();
    else if (step.expect_cancel) await until(() => this.#withdrawal?.aborted ?? false, 'the cancellation');
    else if (step.expect_nothing) await this.#expectNothing();
    else assert.fail(`the format has no step ${JSON.stringify(step)}`);
  }

  #start(label: string, { url, method, request }: Step): void {
    this.#begin(label, (signal) => {
      const wanted: HeadersOptions = { ...requestOptions(request), method, signal };
      return url === undefined ? this.client.token(wanted) : this.client.headers(url, wanted);
    });
  }

  #inquire(label: string, { what, request }: Step): void {
    this.#begin(label, (signal) => {
      const wanted = { ...requestOptions(request), signal };
      return what === 'accounts' ? this.client.accounts(wanted) : this.client.whoami(wanted);
    });
  }

  #answerChallenge(label: string, { of, code, sealed }: Step): void {
    const { outcome } = this.#operation(String(of));
    const error = outcome && 'error' in outcome ? outcome.error : undefined;
    assert.ok(error instanceof FleetAuthError && error.challenge, `${of} has no challenge`);
    let { challenge } = error;
    if (sealed) {
      challenge = this.client.openChallenge(this.client.sealChallenge(challenge, CHALLENGE_KEY), CHALLENGE_KEY);
      this.#see(challenge);
    }
    this.#begin(label, (signal) => this.client.answer(challenge, String(code), { signal }));
  }

  #begin(label: string, begin: (signal: AbortSignal) => Promise<unknown>): void {
    assert.ok(!this.#operations.has(label), `there is an operation ${label} already`);
    const operation: Operation = { abort: new AbortController(), asked: false };
    this.#operations.set(label, operation);
    begin(operation.abort.signal).then(
      (value) => (operation.outcome = { value: value as Value }),
      (error: unknown) => (operation.outcome = { error }),
    );
  }

  async #expectRequest(expected: Json, { answer, fail }: Step): Promise<void> {
    await until(() => this.#sent.length > 0, 'the request');
    const sent = this.#sent.shift();
    assert.ok(sent);
    compareRequest(expected, sent);
    this.#unanswered = sent;
    this.#withdrawal = sent.call.signal;
    if (answer) await this.#answer(answer);
    else if (fail) await this.#fail(sent, fail);
  }

  async #expectSign(expected: ToSign, { signature_base64: signature, fail }: Step): Promise<void> {
    await until(() => this.#toSign.length > 0, 'something to sign');
    const signing = this.#toSign.shift();
    assert.ok(signing);
    const { data, info } = signing;
    assert.deepEqual({ algorithm: info.algorithm, data, key_id: info.keyId }, { key_id: '', ...expected });
    this.#withdrawal = info.signal;
    if (signature !== undefined) {
      signing.answer(Buffer.from(signature, 'base64'));
      await this.#turn();
    } else if (fail) await this.#fail(signing, fail);
  }

  async #fail(call: Sent | Signing, failure: NonNullable<Step['fail']>): Promise<void> {
    this.#thrown = failureOf(failure);
    call.fail(this.#thrown);
    await this.#turn();
  }

  async #answer(answer: Json): Promise<void> {
    assert.ok(this.#unanswered);
    this.#unanswered.answer(answerOf(answer));
    await this.#turn();
  }

  /** Lets what is due on the event loop happen, such as the delivery of an answer. */
  async #turn(): Promise<void> {
    for (let turn = 0; turn < 3; ++turn) await nextTurn();
  }

  async #done(label: string, step: Step): Promise<void> {
    const operation = this.#operation(label);
    assert.ok(!operation.asked, `asked for the outcome of ${label} again`);
    operation.asked = true;
    await until(() => operation.outcome !== undefined, `the outcome of ${label}`);
    const { outcome } = operation;
    assert.ok(outcome);
    if ('error' in outcome) {
      assert.ok(step.error, `${label} failed: ${inspect(outcome.error)}`);
      const cancelled = operation.abort.signal.aborted && outcome.error === operation.abort.signal.reason;
      if (cancelled) assert.equal(step.error.status, 'E_CANCELLED');
      else this.#compareError(step.error, outcome.error);
      return;
    }
    assert.ok(!step.error, `${label} did not fail`);
    const { value } = outcome;
    if (step.identity ?? step.accounts) {
      assert.deepEqual(value, step.identity ?? step.accounts?.map(({ id, name }) => ({ id, name: name || undefined })));
    } else if (step.token ?? step.headers) {
      this.#compareValue(step, value as Token | AuthHeaders);
    } else {
      assert.equal(value, undefined, `${label} has an outcome`);
    }
  }

  #peek({ url, method, request }: NonNullable<Step['peek']>, step: Step): void {
    let value: Token | AuthHeaders | undefined;
    try {
      const wanted: HeadersOptions = { ...requestOptions(request), method };
      value = url === undefined ? this.client.peekToken(wanted) : this.client.peek(url, wanted);
    } catch (error) {
      assert.ok(step.error, inspect(error));
      this.#compareError(step.error, error);
      return;
    }
    if (value === undefined) assert.deepEqual({ ...WOULD_BLOCK, ...step.error }, WOULD_BLOCK);
    else this.#compareValue(step, value);
  }

  #reject(label: string, step: Step): void {
    const { outcome } = this.#operation(label);
    assert.ok(outcome && 'value' in outcome, `${label} has no token to report`);
    const refused = outcome.value as Token | AuthHeaders;
    assert.equal(this.client.reportRejected(refused, step.http_status ?? 401, step.date), step.advice);
  }

  async #expectNothing(): Promise<void> {
    await this.#turn();
    assert.deepEqual(
      this.#sent.map(({ call }) => call.url),
      [],
      'there is a request',
    );
    assert.deepEqual(
      this.#toSign.map(({ data }) => data),
      [],
      'there is something to sign',
    );
    const unexpected = [...this.#operations].filter(([, { outcome, asked }]) => outcome && !asked);
    assert.deepEqual(
      unexpected.map(([label]) => label),
      [],
      'an operation has completed',
    );
  }

  #operation(label: string): Operation {
    const operation = this.#operations.get(label);
    assert.ok(operation, `there is no operation ${label}`);
    return operation;
  }

  #compareValue(step: Step, value: Token | AuthHeaders): void {
    this.#see(value);
    assert.ok(step.token ?? step.headers, 'the step says nothing of what is expected');
    if (step.headers) assert.deepEqual(Object.fromEntries(Object.entries(value)), step.headers);
    if (!step.token) return;
    for (const [name, expected] of Object.entries(step.token)) {
      if (value instanceof Token) assert.deepEqual(tokenMember(value, name), expected, name);
      // Headers come without their token here.
      else if (name === 'secret') assert.ok(Object.values(value).some((header) => header.includes(String(expected))));
    }
  }

  #compareError(expected: Expected, error: unknown): void {
    if (error === this.#thrown) {
      assert.equal(expected.status, 'E_CALLBACK', 'what a transport or signer throws comes out unchanged');
      return;
    }
    this.#see(error);
    assert.ok(error instanceof FleetAuthError, inspect(error));
    assert.equal(error.constructor, STATUS_TABLE.get(error.status)?.type);
    for (const [name, value] of Object.entries(expected)) {
      if (name === 'message') {
        for (const text of value as string[])
          assert.ok(error.message.includes(text), `${text} is not in: ${error.message}`);
      } else {
        assert.deepEqual(errorMember(error, name), value, name);
      }
    }
  }

  /** What is printed must hold no secret. */
  #see(value: unknown): void {
    const text =
      inspect(value, { depth: 8, showHidden: true }) + format('%s %j', value, value instanceof Token ? value : null);
    for (const secret of this.#vector.secrets ?? []) assert.ok(!text.includes(secret), `${secret} is in: ${text}`);
  }
}

function tokenMember(token: Token, name: string): unknown {
  const members: Record<string, () => unknown> = {
    secret: () => token.reveal(),
    kind: () => token.kind,
    scheme: () => token.scheme,
    expires_in_ms: () => (token.expiresInMs === Infinity ? null : token.expiresInMs),
    expires_at: () => token.expiresAt?.toISOString().replace('.000Z', 'Z') ?? null,
    from_cache: () => token.fromCache,
  };
  assert.ok(members[name], `the format has no member token.${name}`);
  return members[name]();
}

function errorMember(error: FleetAuthError, name: string): unknown {
  const members: Record<string, unknown> = {
    status: error.code.replace('FLEETAUTH_', ''),
    http_status: error.httpStatus ?? 0,
    provider: error.provider ?? '',
    provider_code: error.providerCode ?? '',
    retryable: error.retryable,
    retry_after_ms: error.retryAfterMs ?? -1,
    in_doubt: error.inDoubt,
  };
  assert.ok(name in members, `the format has no member error.${name}`);
  return members[name];
}

function compareRequest(expected: Json, { call, body }: Sent): void {
  const lower = (pairs: Iterable<readonly [string, unknown]>) =>
    [...pairs]
      .map(([name, value]) => [name.toLowerCase(), value])
      .filter(([name]) => name !== 'user-agent')
      .sort();
  const compare: Record<string, (value: unknown) => void> = {
    method: (value) => {
      assert.equal(call.method, value);
    },
    url: (value) => {
      assert.equal(call.url, value);
    },
    one_shot: (value) => {
      assert.equal(call.oneShot, value);
    },
    headers: (value) => {
      assert.deepEqual(lower(call.headers), lower(Object.entries(value as Json)));
    },
    body: (value) => {
      assert.equal(body, value);
    },
    json: (value) => {
      assert.deepEqual(parse(body), value);
    },
    form: (value) => {
      assert.deepEqual([...new URLSearchParams(body)], Object.entries(value as Json));
    },
  };
  for (const [name, value] of Object.entries(expected)) {
    assert.ok(compare[name], `the format has no member expect_request.${name}`);
    compare[name](value);
  }
  if (!('body' in expected || 'json' in expected || 'form' in expected)) assert.equal(body, '');
}

function answerOf(answer: Json): HttpAnswer {
  const given = Object.entries((answer.headers ?? {}) as Record<string, string | string[] | null>);
  const typed = given.some(([name]) => name.toLowerCase() === 'content-type');
  const headers = given.flatMap(([name, value]) =>
    value === null ? [] : [value].flat().map((one): [string, string] => [name, one]),
  );
  if (!typed) headers.push(['Content-Type', 'application/json']);
  return { status: answer.status as number, headers, body: bodyOf(answer) };
}

function bodyOf(answer: Json): HttpAnswer['body'] {
  if ('json' in answer)
    return JSON.stringify(answer.json, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));
  if ('body' in answer) return answer.body as string;
  if ('body_base64' in answer) return Buffer.from(answer.body_base64 as string, 'base64');
  if (!('body_repeat' in answer)) return null;
  const { text, times } = answer.body_repeat as { text: string; times: number };
  return text.repeat(times);
}

function failureOf({ status, message }: { status: string; message?: string }): Error {
  if (status === 'E_CALLBACK') return new Error(message);
  return new TransportError(status as TransportFailure, message ?? '');
}

const EXPECTATIONS = [
  'expect_request',
  'expect_sign',
  'token',
  'headers',
  'identity',
  'accounts',
  'error',
  'advice',
] as const;

/** Copies of a vector, each with one leaf of an expectation that says something else. */
function* mutants(vector: Vector): Generator<[where: string, Vector]> {
  for (const [index, step] of (vector.steps ?? []).entries()) {
    for (const name of EXPECTATIONS) {
      if (step[name] === undefined) continue;
      for (const other of alterations(step[name])) {
        const steps = Object.assign([], vector.steps, { [index]: { ...step, [name]: other } }) as Step[];
        yield [`step ${index + 1}: ${JSON.stringify(other)}`, { ...vector, steps }];
      }
    }
  }
}

function* alterations(node: unknown): Generator {
  if (typeof node === 'object' && node !== null) {
    for (const [name, value] of Object.entries(node)) {
      for (const other of alterations(value)) {
        yield Object.assign(Array.isArray(node) ? [] : {}, node, { [name]: other });
      }
    }
  } else if (typeof node === 'string') yield `${node}~`;
  else yield typeof node === 'boolean' ? !node : Number(node) + 1;
}

function read(file: string): Vector {
  return parse(readFileSync(join(FOLDER, file), 'utf8')) as Vector;
}

const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.includes('/') && name.endsWith('.json'))
  .sort();

describe('conformance', () => {
  assert.ok(files.length > 0, `there are no vectors in ${FOLDER}`);
  for (const file of files) {
    const vector = read(file);
    const rows = (vector as { rows?: string[] }).rows ?? [];
    test([...rows, `${file}: ${vector.name}`].join(' '), () => new Player(vector).run());
  }

  const altered = [
    'trimble_maps/account_by_request',
    'fleetup/status_401',
    'core/life_stale',
    'fleet_orchestrator/whoami_asks_for_otp',
    'trimble_maps/accounts',
    'fleet_engine/signer_takes_too_long',
  ];
  for (const name of altered) {
    test(`${name}: expecting something else fails`, async () => {
      const all = [...mutants(read(`${name}.json`))];
      assert.ok(all.length > 5);
      for (const [where, mutant] of all) await assert.rejects(new Player(mutant).run(), `not noticed: ${where}`);
    });
  }
});
