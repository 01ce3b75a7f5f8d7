import { EventKind, QueueKind } from './gen/native';
import type { NativeEvent, NativeOp, NativeQueue, NativeRuntime } from './gen/native';
import { makeError } from './host-objects';
import { native } from './load';
import { Responder } from './responder';
import type { Host } from './responder';

interface Pending {
  readonly op: NativeOp;
  readonly settle: (event: NativeEvent) => void;
}

const open = new Set<Hub>();
let inFlight = 0;
let started = false;

function wake(): void {
  for (const hub of [...open]) hub.drain();
}

/** Operations in flight, and queues that are about to end, keep the process alive, and nothing else of ours does. */
function count(change: 1 | -1): void {
  inFlight += change;
  if (inFlight === (change === 1 ? 1 : 0)) native().hold(change === 1);
}

/** The addon, with this environment's event loop connected to it. */
export function connected(): ReturnType<typeof native> {
  const addon = native();
  if (!started) {
    started = true;
    addon.setErrorFactory(makeError);
    addon.startPump(wake);
  }
  return addon;
}

/**
 * A queue of the library and what waits for its events. One serves all clients of a runtime, but a client with a
 * transport or a signer of its own has its own, so that a request to send finds the transport it is meant for.
 */
export class Hub {
  readonly #queue: NativeQueue;
  readonly #pending = new Map<number, Pending>();
  readonly #responder: Responder | undefined;
  readonly #onNotice: ((notice: string) => void) | undefined;
  readonly #closed: Promise<void>;
  #onClosed!: () => void;
  #closing = false;
  #lastTag = 0;

  /** `onNotice`, which must throw nothing, is told what the runtime does from now on. */
  constructor(runtime: NativeRuntime, host?: Host, onNotice?: (notice: string) => void) {
    const addon = connected();
    this.#queue = addon.Queue.create(runtime, QueueKind.LOOP);
    this.#responder = host && new Responder(host);
    this.#onNotice = onNotice;
    if (onNotice) this.#queue.observe();
    this.#closed = new Promise((resolve) => (this.#onClosed = resolve));
    addon.watch(this.#queue);
    open.add(this);
  }

  get queue(): NativeQueue {
    return this.#queue;
  }

  /**
   * Starts an operation; `begin` is given the queue and the tag it completes with, `outcome` the event that completes
   * it.
   */
  run<T>(
    begin: (queue: NativeQueue, tag: number) => NativeOp,
    outcome: (event: NativeEvent) => T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const tag = ++this.#lastTag;
      const op = begin(this.#queue, tag);
      const abort = () => {
        op.cancel();
      };
      const settle = (event: NativeEvent) => {
        signal?.removeEventListener('abort', abort);
        op.release();
        try {
          resolve(outcome(event));
        } catch (error) {
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a transport may throw anything
          reject(signal?.aborted ? signal.reason : error);
        }
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#pending.set(tag, { op, settle });
      count(1);
    });
  }

  /** Handles every event there is. Runs on the event loop; throws nothing. */
  drain(): void {
    let event: NativeEvent | null;
    while (open.has(this) && (event = this.#queue.next(0)) !== null) {
      this.#handle(event);
      event.release();
    }
  }

  /** Ends the queue: what still waits here is cancelled. Resolves when its last event was handled. */
  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      count(1); // until the last event
      this.#queue.close();
    }
    return this.#closed;
  }

  #handle(event: NativeEvent): void {
    switch (event.kind()) {
      case EventKind.TOKEN:
      case EventKind.IDENTITY:
      case EventKind.ACCOUNTS:
      case EventKind.LOGGED_OUT: {
        const pending = this.#pending.get(event.tag());
        if (pending === undefined) break;
        this.#pending.delete(event.tag());
        count(-1);
        pending.settle(event);
        break;
      }
      case EventKind.HTTP_CALL:
        this.#responder?.take(event);
        break;
      case EventKind.SIGN_CALL:
        this.#responder?.takeSigning(event);
        break;
      case EventKind.HTTP_CANCEL:
      case EventKind.SIGN_CANCEL:
        this.#responder?.cancel(event.tag());
        break;
      case EventKind.RELEASE:
        this.#responder?.forget(event.tag());
        break;
      case EventKind.NOTICE:
        this.#onNotice?.(event.notice() ?? '');
        break;
      case EventKind.CLOSED:
        open.delete(this);
        native().unwatch(this.#queue);
        this.#responder?.end();
        if (this.#closing) count(-1);
        this.#closing = true; // the runtime may have been closed first
        this.#onClosed();
        break;
    }
  }
}
