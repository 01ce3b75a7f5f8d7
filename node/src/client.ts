import { inspect } from 'node:util';

import { authorisedFetch } from './fetch';
import type { FetchInit } from './fetch';
import { Advice } from './gen/native';
import type { NativeClient, NativeRequest, NativeToken } from './gen/native';
import type { ClientSettings, RequestSettings } from './gen/options';
import { Generation } from './generation';
import { authorisation, generationOf, HeaderCache } from './headers';
import type { AuthHeaders, Authorisation } from './headers';
import { connected, Hub } from './hub';
import { Provider } from './provider';
import { Runtime, sharedRuntime } from './runtime';
import { withOptions } from './settings';
import { nativeToken, Token } from './token';
import type { Transport } from './transport';

/** The options that every client has, beside the parameters of its provider. */
export interface ClientOptions extends Omit<ClientSettings, 'transport'> {
  /** Sends the requests for tokens instead of the library itself. A client with a transport must be closed. */
  transport?: Transport | undefined;
  /** The engine to use instead of the one that the process shares. */
  runtime?: Runtime | undefined;
}

/** What a call for a token can ask for. */
export interface TokenOptions extends RequestSettings {
  /** Ends this wait; the fetch goes on for the other callers. */
  signal?: AbortSignal | undefined;
}

/** What a call for headers can ask for. */
export interface HeadersOptions extends TokenOptions {
  /** The method of the request to authorise; GET by default. */
  method?: string | undefined;
}

/**
 * A provider with credentials. Clients with equal options share their tokens, in all workers of the process, and every
 * token is fetched once however many callers wait for it.
 */
export class Client {
  readonly #handle: NativeClient;
  readonly #hub: Hub;
  readonly #ownHub: boolean;
  readonly #provider: string;
  readonly #cache = new HeaderCache();
  readonly #requests = new Map<string, NativeRequest>();
  #token: { readonly token: Token; readonly generation: Generation } | undefined;
  #closed: Promise<void> | undefined;

  /** `provider`: the name of a built-in one, or a descriptor. `options`: its parameters and the common options, in camel case. */
  constructor(
    provider: string | Provider,
    options: ClientOptions | (ClientOptions & Readonly<Record<string, unknown>>),
  ) {
    if (typeof options !== 'object' || (options as unknown) === null) {
      throw new TypeError("A client needs an object of options: the provider's parameters and the common ones.");
    }
    const { runtime, transport, ...settings } = options;
    if (transport !== undefined && typeof transport !== 'function') {
      throw new TypeError('The option transport must be a function, such as nodeTransport().');
    }
    if (runtime !== undefined && !(runtime instanceof Runtime)) {
      throw new TypeError('The option runtime must be a Runtime.');
    }
    if (typeof provider !== 'string' && !(provider instanceof Provider)) {
      throw new TypeError('The provider must be a name or a Provider.');
    }
    const descriptor = typeof provider === 'string' ? Provider.builtin(provider) : provider;
    const engine = runtime ? Runtime.handle(runtime) : sharedRuntime().handle;
    this.#handle = withOptions(transport ? { ...settings, transport: 'host' } : settings, (bag) =>
      connected().Client.create(engine, Provider.handle(descriptor), bag),
    );
    this.#provider = descriptor.name;
    this.#ownHub = transport !== undefined;
    if (transport) {
      this.#hub = new Hub(engine, transport);
      this.#hub.queue.serve(this.#handle);
    } else {
      this.#hub = runtime ? Runtime.hub(runtime) : sharedRuntime().hub;
    }
  }

  /** The provider's name. */
  get provider(): string {
    return this.#provider;
  }

  /** The token; waits for it only when memory holds none that is usable. */
  async token(options: TokenOptions = {}): Promise<Token> {
    options.signal?.throwIfAborted();
    const request = this.#request(options);
    if (request === null && this.#token?.generation.isCurrent) return this.#token.token;
    const known = this.#handle.peek(request, null, null);
    const handle = known ?? (await this.#start(request, null, null, options.signal));
    const token = new Token(handle);
    const generation = new Generation(handle);
    if (known && generation.cacheable && request === null && !this.#closed) this.#token = { token, generation };
    return token;
  }

  /** The token if memory has one that is usable, else undefined. Never waits. */
  peekToken(options: RequestSettings = {}): Token | undefined {
    const handle = this.#handle.peek(this.#request(options), null, null);
    return handle ? new Token(handle) : undefined;
  }

  /** The headers that authorise a request; waits only when memory holds no usable token. */
  async headers(url: string | URL, options?: HeadersOptions): Promise<AuthHeaders> {
    options?.signal?.throwIfAborted();
    const text = String(url);
    return (this.#peek(text, options) ?? (await this.#fetchHeaders(text, options))).headers;
  }

  /** The headers that authorise a request if memory has what is needed, else undefined. Never waits. */
  peek(url: string | URL, options?: HeadersOptions): AuthHeaders | undefined {
    return this.#peek(String(url), options)?.headers;
  }

  /**
   * Tells that the provider answered 401 to a request that carried these headers or this token. `retry`: get the
   * headers again and repeat the request once. `stop`: give up with the provider's answer.
   */
  reportRejected(refused: AuthHeaders | Token, httpStatus = 401): 'retry' | 'stop' {
    const { slot, generation } = origin(refused);
    return this.#handle.reportRejected(slot, generation, httpStatus) === Advice.RETRY ? 'retry' : 'stop';
  }

  /**
   * `fetch` with the headers that authorise it. A 401 renews the token and repeats the request once, if its body can be
   * sent again (a string, bytes, a form, but no stream). Redirects are not followed, as they could carry the
   * credentials elsewhere.
   */
  fetch(input: string | URL | Request, init?: FetchInit): Promise<Response> {
    return authorisedFetch(this, input, init);
  }

  /**
   * Fails what is in flight with FLEETAUTH_E_CLOSED and forgets the credentials; later calls fail with it, too. The
   * promise, which need not be awaited, resolves when nothing is in flight any more.
   */
  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#handle.close();
      this.#cache.clear();
      this.#token = undefined;
      this.#closed = this.#ownHub ? this.#hub.close() : Promise.resolve();
    }
    return this.#closed;
  }

  [Symbol.dispose](): void {
    void this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [inspect.custom](): string {
    return `${this.constructor.name} { provider: '${this.#provider}' }`;
  }

  /** @internal */
  async authorise(url: string | URL, options?: HeadersOptions): Promise<Authorisation> {
    options?.signal?.throwIfAborted();
    const text = String(url);
    return this.#peek(text, options) ?? (await this.#fetchHeaders(text, options));
  }

  async #fetchHeaders(url: string, options: HeadersOptions | undefined): Promise<Authorisation> {
    const request = this.#request(options);
    const ready = authorisation(await this.#start(request, options?.method ?? null, url, options?.signal));
    if (this.#cachesFor(options)) this.#cache.keep(url, options?.method, options?.api, ready);
    return ready;
  }

  #peek(url: string, options: HeadersOptions | undefined): Authorisation | undefined {
    const caches = this.#cachesFor(options);
    const cached = caches ? this.#cache.find(url, options?.method, options?.api) : undefined;
    if (cached !== undefined) return cached;
    const token = this.#handle.peek(this.#request(options), options?.method ?? null, url);
    if (token === null) return undefined;
    const ready = authorisation(token);
    if (caches) this.#cache.keep(url, options?.method, options?.api, ready);
    return ready;
  }

  /** A wish for a minimum lifetime has to be asked each time; after close() nothing is kept. */
  #cachesFor(options: HeadersOptions | undefined): boolean {
    return !options?.minRemainingMs && this.#closed === undefined;
  }

  #start(
    request: NativeRequest | null,
    method: string | null,
    url: string | null,
    signal: AbortSignal | undefined,
  ): Promise<NativeToken> {
    return this.#hub.run((queue, tag) => this.#handle.start(request, method, url, queue, tag), signal);
  }

  /** The prepared call for these settings; null for the defaults. A few are kept. */
  #request(options: RequestSettings = {}): NativeRequest | null {
    const { api, timeoutMs, minRemainingMs } = options;
    if (api === undefined && timeoutMs === undefined && minRemainingMs === undefined) return null;
    const key = JSON.stringify([api, timeoutMs, minRemainingMs]);
    let request = this.#requests.get(key);
    if (request === undefined) {
      const settings: RequestSettings = { api, timeoutMs, minRemainingMs };
      request = withOptions(settings, (bag) => connected().Request.create(this.#handle, bag));
      if (this.#requests.size >= 64) this.#requests.clear();
      this.#requests.set(key, request);
    }
    return request;
  }
}

function origin(refused: AuthHeaders | Token): { slot: number; generation: number } {
  if (refused instanceof Token) {
    const handle = nativeToken(refused);
    return { slot: handle.slot(), generation: handle.generation() };
  }
  const generation = generationOf(refused);
  if (generation === undefined) {
    throw new TypeError(
      'reportRejected needs the very object that headers() or peek() returned, or a Token; not a copy.',
    );
  }
  return generation;
}
