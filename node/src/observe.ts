import type { Counters, FleetAuthEvent } from './gen/events';
import { Hub } from './hub';
import { countersOf, Runtime, sharedRuntime } from './runtime';

export interface ObserveOptions {
  /** The engine to observe instead of the one that the process shares. */
  runtime?: Runtime | undefined;
}

/** What `observe` returns. It lasts until it is closed or its runtime is, and does not keep the process alive. */
export interface Observer {
  /**
   * Ends it. The listener is still called for what has happened before; the promise, which need not be awaited, resolves
   * after that.
   */
  close(): Promise<void>;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Calls the listener for what a runtime does from now on: logins, renewals, requests, failures. What it throws is an
 * uncaught exception. Events that find no room while the event loop is busy are dropped, and counted.
 */
export function observe(listener: (event: FleetAuthEvent) => void, { runtime }: ObserveOptions = {}): Observer {
  if (typeof (listener as unknown) !== 'function') throw new TypeError('The listener must be a function.');
  if (runtime !== undefined && !(runtime instanceof Runtime)) {
    throw new TypeError('The option runtime must be a Runtime.');
  }
  const hub = new Hub(runtime ? Runtime.handle(runtime) : sharedRuntime().handle, undefined, (notice) => {
    tell(listener, notice);
  });
  const close = () => hub.close();
  return { close, [Symbol.dispose]: () => void close(), [Symbol.asyncDispose]: close };
}

/** How often each event has happened in the runtime that the process shares, observed or not. */
export function counters(): Counters {
  return countersOf(sharedRuntime().handle);
}

function tell(listener: (event: FleetAuthEvent) => void, notice: string): void {
  try {
    listener(JSON.parse(notice) as FleetAuthEvent);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
