import { Status } from './gen/errors';
import { FleetAuthError } from './fleetauth-error';
import type { Counters } from './gen/events';
import type { NativeClock, NativeRuntime } from './gen/native';
import type { RuntimeSettings } from './gen/options';
import { connected, Hub } from './hub';
import { withOptions } from './settings';

/** A clock that stands still until it is moved, for tests of programs that use the library. */
export class ManualClock {
  readonly #handle: NativeClock;

  /** @internal */
  static handle(clock: ManualClock): NativeClock {
    return clock.#handle;
  }

  /** A clock that shows `start`: a time, or milliseconds since 1970. */
  constructor(start: Date | number) {
    this.#handle = connected().Clock.manualNew(Number(start));
  }

  /** Moves time forward. Tokens are as old as the clock says at once; timers that are due run a moment later. */
  advance(ms: number): void {
    this.#handle.advance(ms);
  }

  /** Steps the wall clock, forward or back, as a correction of the system's time does; no time passes. */
  stepWall(ms: number): void {
    this.#handle.stepWall(ms);
  }
}

export interface RuntimeOptions extends Omit<RuntimeSettings, 'mode'> {
  /** The real one by default. */
  clock?: ManualClock | undefined;
}

/**
 * An engine behind clients. Clients share one for the whole process, all workers included, unless they are given one of
 * their own, as tests do. It must be closed.
 */
export class Runtime {
  readonly #handle: NativeRuntime;
  #hub: Hub | undefined;

  /** @internal */
  static handle(runtime: Runtime): NativeRuntime {
    return runtime.#handle;
  }

  /** @internal */
  static hub(runtime: Runtime): Hub {
    runtime.#hub ??= new Hub(runtime.#handle);
    return runtime.#hub;
  }

  constructor(options: RuntimeOptions = {}) {
    const { clock, ...settings } = options;
    if (clock !== undefined && !(clock instanceof ManualClock)) {
      throw new TypeError('The option clock must be a ManualClock.');
    }
    if ((settings as RuntimeSettings).mode === 'manual') {
      throw new TypeError('The runtime mode "manual" has no use in Node, whose event loop cannot drive it.');
    }
    this.#handle = withOptions(settings, (bag) =>
      connected().Runtime.create(bag, clock ? ManualClock.handle(clock) : null),
    );
  }

  /** How often each event has happened since the runtime was made, observed or not. They only grow. */
  counters(): Counters {
    return countersOf(this.#handle);
  }

  /** Fails everything in flight with FLEETAUTH_E_CLOSED, as every later call. Closing again does nothing. */
  async close(): Promise<void> {
    try {
      this.#handle.close(0);
    } catch (error) {
      // The thread is still leaving; it needs nobody's help.
      if (!(error instanceof FleetAuthError && error.status === Status.E_TIMEOUT)) throw error;
    }
    await this.#hub?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export function countersOf(runtime: NativeRuntime): Counters {
  const blob = runtime.counters();
  const json = String(blob.bytes());
  blob.release();
  return JSON.parse(json) as Counters;
}

let common: { handle: NativeRuntime; hub: Hub } | undefined;

/** The process's runtime and this environment's queue on it. */
export function sharedRuntime(): { handle: NativeRuntime; hub: Hub } {
  if (common === undefined) {
    const handle = connected().Runtime.shared();
    common = { handle, hub: new Hub(handle) };
  }
  return common;
}
