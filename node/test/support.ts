import assert from 'node:assert/strict';
import { after, before, beforeEach } from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

import { FleetUp, MyConnectedFleet } from 'fleetauth';
import type { FleetUpOptions, MyConnectedFleetOptions } from 'fleetauth';
import { Emulator, liveHandles } from 'fleetauth/testing';

/** The accounts which the emulator knows from the start. */
export const FLEETUP = { apiKey: 'demo-api-key', acctId: 12345, secret: 'your-app-secret' };
export const MCF = { clientId: 'demo-client', clientSecret: 'demo-secret' };

/** An emulator for the tests of one file, as it was at its start before each test. */
export function useEmulator(): {
  readonly emulator: Emulator;
  fleetUp(options?: Partial<FleetUpOptions>): FleetUp;
  myConnectedFleet(options?: Partial<MyConnectedFleetOptions>): MyConnectedFleet;
} {
  let emulator: Emulator | undefined;
  before(async () => {
    emulator = await Emulator.start();
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
  };
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
