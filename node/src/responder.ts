import { inspect } from 'node:util';

import { Status } from './gen/errors';
import type { NativeEvent, NativeHttpCall, NativeSignCall } from './gen/native';
import { FleetAuthError } from './fleetauth-error';
import { dropHostObject, keepHostObject } from './host-objects';
import type { Signer, SignInfo } from './signer';
import { TransportError } from './transport';
import type { HttpAnswer, HttpCall, Transport } from './transport';

/** The library did not take what it was given: it is no longer wanted, or too large. */
class Refused {
  constructor(readonly status: number) {}
}

/** What a transport gets. Printing it shows nothing that is secret. */
class Call implements HttpCall {
  readonly method: string;
  readonly url: string;
  readonly headers: HttpCall['headers'];
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  readonly maxBody: number;
  readonly oneShot: boolean;
  readonly signal: AbortSignal;

  constructor(call: NativeHttpCall, signal: AbortSignal) {
    this.method = call.method() ?? '';
    this.url = call.url() ?? '';
    this.headers = Array.from({ length: call.headerCount() }, (_, index) => [
      call.headerName(index) ?? '',
      call.headerValue(index) ?? '',
    ]);
    this.body = call.body() ?? new Uint8Array();
    this.timeoutMs = call.timeoutMs();
    this.maxBody = call.maxBody();
    this.oneShot = call.oneShot() !== 0;
    this.signal = signal;
  }

  toJSON(): object {
    return { method: this.method, oneShot: this.oneShot };
  }

  [inspect.custom](): string {
    return `HttpCall { ${this.method}, the rest is secret }`;
  }
}

/** What of the library's work the caller does. */
export interface Host {
  readonly transport?: Transport | undefined;
  readonly signer?: Signer | undefined;
}

/** Answers the library's calls with a transport and a signer of the caller's. */
export class Responder {
  readonly #host: Host;
  /** With its call: a promise that nobody settles is garbage, and its call would fail whenever that is collected. */
  readonly #active = new Map<number, { abort: AbortController; call: NativeHttpCall | NativeSignCall }>();
  readonly #kept = new Set<number>();

  constructor(host: Host) {
    this.#host = host;
  }

  take(event: NativeEvent): void {
    const { transport } = this.#host;
    const call = transport && claimed(() => event.httpCall());
    if (call) void this.#answer(call, (abort) => this.#send(call, transport, abort));
  }

  takeSigning(event: NativeEvent): void {
    const { signer } = this.#host;
    const call = signer && claimed(() => event.signCall());
    if (call) void this.#answer(call, ({ signal }) => this.#sign(call, signer, signal));
  }

  cancel(id: number): void {
    this.#active.get(id)?.abort.abort();
    this.#active.delete(id);
  }

  /** The library no longer refers to what the caller's code threw. */
  forget(id: number): void {
    this.#kept.delete(id);
    dropHostObject(id);
  }

  /** After the last event: nothing is wanted any more, and nothing will be said to be forgotten. */
  end(): void {
    for (const { abort } of this.#active.values()) abort.abort();
    this.#active.clear();
    for (const id of this.#kept) dropHostObject(id);
  }

  async #answer(call: NativeHttpCall | NativeSignCall, work: (abort: AbortController) => Promise<void>): Promise<void> {
    const id = call.id();
    const abort = new AbortController();
    this.#active.set(id, { abort, call });
    try {
      await work(abort);
    } catch (error) {
      this.#fail(call, error);
    } finally {
      this.#active.delete(id);
      call.release();
    }
  }

  async #send(call: NativeHttpCall, transport: Transport, abort: AbortController): Promise<void> {
    const request = new Call(call, abort.signal);
    try {
      await this.#deliver(call, await transport(request));
    } catch (error) {
      abort.abort();
      throw error;
    } finally {
      request.body.fill(0);
    }
  }

  async #sign(call: NativeSignCall, signer: Signer, signal: AbortSignal): Promise<void> {
    const info: SignInfo = {
      keyId: call.keyId() ?? '',
      algorithm: call.algorithm() ?? '',
      timeoutMs: call.timeoutMs(),
      signal,
    };
    const signature: unknown = await signer(call.data() ?? Buffer.alloc(0), info);
    if (!(signature instanceof Uint8Array)) {
      throw new TypeError('The signer must return the signature as a Buffer or another Uint8Array.');
    }
    give(() => {
      call.complete(signature);
    });
  }

  async #deliver(call: NativeHttpCall, answer: HttpAnswer): Promise<void> {
    for (const [name, value] of answer.headers) {
      give(() => {
        call.addHeader(name, value);
      });
    }
    for await (const chunk of chunks(answer.body)) {
      give(() => {
        call.appendBody(chunk);
      });
    }
    give(() => {
      call.complete(answer.status);
    });
  }

  #fail(call: NativeHttpCall | NativeSignCall, error: unknown): void {
    if (error instanceof Refused) {
      if (error.status !== Status.E_CLOSED) tell(call, error.status, null, 0);
      return;
    }
    const id = keepHostObject(error);
    // The library repeats a message only if it is a plain word: anything longer may hold secrets.
    const told =
      error instanceof TransportError
        ? tell(call, error.status, error.message, id)
        : tell(call, Status.E_CALLBACK, error instanceof Error ? error.name : null, id);
    if (told) this.#kept.add(id);
    else dropHostObject(id);
  }
}

/** Undefined when someone else answers it, or nobody waits any more. */
function claimed<Call>(take: () => Call): Call | undefined {
  try {
    return take();
  } catch {
    return undefined;
  }
}

function give(step: () => void): void {
  try {
    step();
  } catch (error) {
    const isTold =
      error instanceof FleetAuthError && (error.status === Status.E_CLOSED || error.status === Status.E_TOO_LARGE);
    throw isTold ? new Refused(error.status) : error;
  }
}

function chunks(body: HttpAnswer['body']): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if (body == null) return [];
  if (typeof body === 'string') return [Buffer.from(body)];
  return body instanceof Uint8Array ? [body] : body;
}

/** False when nobody wants to know any more. */
function tell(
  call: NativeHttpCall | NativeSignCall,
  status: number,
  message: string | null,
  userError: number,
): boolean {
  try {
    call.fail(status, message, userError);
    return true;
  } catch {
    return false;
  }
}
