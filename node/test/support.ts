import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { after, before, beforeEach } from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

import { FleetOrchestrator, FleetUp, MyConnectedFleet, OAuth2, Runtime, TrimbleMaps } from 'fleetauth';
import type {
  Client,
  FetchInit,
  FleetOrchestratorOptions,
  FleetUpOptions,
  MyConnectedFleetOptions,
  OAuth2Options,
  TrimbleMapsOptions,
} from 'fleetauth';
import { Emulator, liveHandles } from 'fleetauth/testing';

/** The accounts which the emulator knows from the start. */
export const FLEETUP = { apiKey: 'demo-api-key', acctId: 12345, secret: 'your-app-secret' };
export const MCF = { clientId: 'demo-client', clientSecret: 'demo-secret' };
export const OAUTH2 = { clientId: 'demo-client', clientSecret: 'demo-secret' };
export const TRIMBLE = { apiKey: 'demo-partner-key' };
/** A user with two-factor authentication, and the one-time code that is always right. */
export const ORCHESTRATOR = { email: 'otp@fleet.example', password: 'demo-password' };
export const OTP = '123456';

/** An emulator for the tests of one file, as it was at its start before each test; `prepare` is called once. */
export function useEmulator(prepare?: (emulator: Emulator) => Promise<void>): {
  readonly emulator: Emulator;
  fleetUp(options?: Partial<FleetUpOptions>): FleetUp;
  myConnectedFleet(options?: Partial<MyConnectedFleetOptions>): MyConnectedFleet;
  fleetOrchestrator(options?: Partial<FleetOrchestratorOptions>): FleetOrchestrator;
  oauth2(options?: Partial<OAuth2Options>): OAuth2;
  trimbleMaps(options?: Partial<TrimbleMapsOptions>): TrimbleMaps;
  /** client.fetch over Node's own https, which can be told the emulator's CA. */
  fetch(client: Client, url: string, init?: FetchInit): Promise<Response>;
} {
  let emulator: Emulator | undefined;
  before(async () => {
    emulator = await Emulator.start();
    await prepare?.(emulator);
  });
  beforeEach(() => emulator?.reset());
  after(() => emulator?.stop());
  const running = () => {
    assert.ok(emulator, 'the emulator is started before the first test');
    return emulator;
  };
  return {
    get emulator() {
      return running();
    },
    fleetUp: (options = {}) => new FleetUp({ ...FLEETUP, ...running().options('fleetup'), ...options }),
    myConnectedFleet: (options = {}) =>
      new MyConnectedFleet({ ...MCF, ...running().options('my_connected_fleet'), ...options }),
    fleetOrchestrator: (options = {}) =>
      new FleetOrchestrator({ ...ORCHESTRATOR, ...running().options('fleet_orchestrator'), ...options }),
    oauth2: (options = {}) => {
      const at = running();
      const bases = { authBaseUrl: at.baseUrl('oauth2', 'auth'), apiBaseUrl: at.baseUrl('oauth2', 'api') };
      return new OAuth2({ ...OAUTH2, ...at.options('oauth2'), ...bases, ...options });
    },
    trimbleMaps: (options = {}) => new TrimbleMaps({ ...TRIMBLE, ...running().options('trimble_maps'), ...options }),
    fetch: (client, url, init = {}) => client.fetch(url, { ...init, fetch: trusting(running().caFile) }),
  };
}

/** A `fetch` that trusts this authority alone. */
function trusting(caFile: string): typeof globalThis.fetch {
  return (target, init) =>
    new Promise<Response>((resolve, reject) => {
      const headers = Object.fromEntries(new Headers(init?.headers).entries());
      const method = init?.method ?? 'GET';
      const out = request(target as string, { method, headers, ca: readFileSync(caFile), agent: false });
      out.on('error', reject).on('response', (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const told = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
          resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 0, headers: told }));
        });
      });
      out.end(typeof init?.body === 'string' ? init.body : undefined);
    });
}

/** A runtime of its own, so that a test starts without tokens. */
export async function withRuntime(run: (runtime: Runtime) => Promise<void>): Promise<void> {
  const runtime = new Runtime();
  try {
    await run(runtime);
  } finally {
    await runtime.close();
  }
}

/** Waits until a condition holds; fails after some seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !condition(); ++tries) {
    assert.ok(tries < 500, `still waiting: ${what}`);
    await sleep(10);
  }
}

/** Collects garbage until no more handles are referenced than `count`. */
export async function handlesBackTo(count: number): Promise<void> {
  const collect = globalThis.gc;
  assert.ok(collect, 'run node with --expose-gc');
  for (let tries = 0; liveHandles() > count; ++tries) {
    assert.ok(tries < 200, `${liveHandles()} handles are alive, ${count} were at the start`);
    collect();
    await nextTurn();
    await sleep(2);
  }
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail('the promise was expected to be rejected');
}
