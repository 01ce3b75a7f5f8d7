import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { format, inspect } from 'node:util';

export interface Answer {
  readonly status: number;
  readonly headers: [string, string][];
  readonly body: string;
}

export interface ClientSpec {
  readonly provider: string;
  readonly url: string;
  readonly options: Record<string, string | number>;
  readonly request: { claim_set?: string; claims?: Record<string, string> };
  readonly secrets: string[];
  readonly mistakes: Record<string, string | number>[];
  readonly good: Answer;
}

/** What is answered to the first request for a token, to a code, to inquiries, to the renewal and to the logout. */
export type Phase = 'first' | 'code' | 'inquiry' | 'renewal' | 'logout';
export type Scenario = { readonly [phase in Phase]?: string } & { readonly first: string; readonly sent?: string };

/** What tests/secrets/canaries.py made: secrets in every form, clients of every provider, and what happens to them. */
export const shared = JSON.parse(
  readFileSync(resolve(__dirname, '..', '..', '..', 'tests', 'secrets', 'canaries.json'), 'utf8'),
) as {
  readonly canaries: Record<string, { value: string; forms: string[] }>;
  readonly clients: ClientSpec[];
  readonly answers: Record<string, Answer>;
  readonly scenarios: Scenario[];
};

export function canary(name: string): string {
  return shared.canaries[name]?.value ?? assert.fail(name);
}

/** Everything that a program would print, log, keep or send to another thread or to an error tracker. */
function* shown(value: unknown): Generator<string> {
  for (const getters of [false, true]) yield inspect(value, { depth: null, showHidden: true, getters });
  yield format('%s %o %O %j', value, value, value, value);
  yield String(value);
  yield JSON.stringify({ value });
  if (value instanceof Error) {
    yield value.message + String(value.stack);
    yield inspect(structuredClone(value), { depth: null, showHidden: true });
    yield JSON.stringify(value, Object.getOwnPropertyNames(value));
    if (value.cause !== undefined) yield* shown(value.cause);
  }
}

export function assertSilent(value: unknown, what: string): void {
  for (const text of shown(value)) {
    for (const [name, { forms }] of Object.entries(shared.canaries)) {
      for (const form of forms) assert.ok(!text.includes(form), `${what} shows ${name}: ${text}`);
    }
  }
}
