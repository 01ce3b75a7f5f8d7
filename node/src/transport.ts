import { Status } from './gen/errors';

/** How a transport says why there is no answer; the caller gets the error class that belongs to it. */
export type TransportFailure = 'E_DNS' | 'E_CONNECT' | 'E_TLS' | 'E_PROXY' | 'E_NETWORK' | 'E_TIMEOUT' | 'E_TOO_LARGE';

/**
 * Thrown by a transport, or a signer, for a failure of the network. E_DNS, E_CONNECT, E_TLS and E_PROXY say that nothing was sent;
 * E_NETWORK, E_TIMEOUT and E_TOO_LARGE that the request may have reached the provider. Anything else that it
 * throws comes out unchanged at the caller. A message that is a plain word, such as an error's code, is repeated in the
 * caller's error; the cause is handed on.
 */
export class TransportError extends Error {
  readonly status: number;

  constructor(failure: TransportFailure, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'TransportError';
    this.status = Status[failure];
  }
}

/**
 * A request to send once: to exactly this URL, verifying TLS, without following redirects, without repeating it and
 * without decoding the answer. URL, headers and body hold secrets.
 */
export interface HttpCall {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Empty for none; wiped when the call has been answered. */
  readonly body: Uint8Array;
  /** How long the answer is awaited, in milliseconds; `signal` is aborted then. */
  readonly timeoutMs: number;
  /** The most bytes of body that are of use; reading stops there by itself. */
  readonly maxBody: number;
  /** Sending it twice would do harm: use a new connection. */
  readonly oneShot: boolean;
  /** Aborted when the answer is no longer wanted. */
  readonly signal: AbortSignal;
}

/** What the provider answered, undecoded. */
export interface HttpAnswer {
  readonly status: number;
  /** In the order received. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
  readonly body: AsyncIterable<Uint8Array> | Iterable<Uint8Array> | Uint8Array | string | null;
}

/** Sends the requests for tokens in the library's stead. */
export type Transport = (call: HttpCall) => Promise<HttpAnswer> | HttpAnswer;
