import { inspect } from 'node:util';

import { Challenge, nativeChallenge } from './challenge';
import { authorisedFetch } from './fetch';
import type { FetchInit } from './fetch';
import { Advice, Inquiry } from './gen/native';
import type { NativeClient, NativeEvent, NativeOp, NativeQueue, NativeRequest, NativeToken } from './gen/native';
import type { ClientSettings, RequestSettings } from './gen/options';
import { Generation } from './generation';
import { authorisation, claimsText, generationOf, HeaderCache } from './headers';
import type { AuthHeaders, Authorisation } from './headers';
import { connected, Hub } from './hub';
import { accounts, identity } from './identity';
import type { Account, Identity } from './identity';
import { Provider } from './provider';
import { Runtime, sharedRuntime } from './runtime';
import { withOptions } from './settings';
import type { Signer } from './signer';
import { nativeToken, Token } from './token';
import type { Transport } from './transport';

/** The options that every client has, beside the parameters of its provider. */
export interface ClientOptions extends Omit<ClientSettings, 'signer' | 'transport'> {
  /** Sends the requests for tokens instead of the library itself. A client with a transport must be closed. */
  transport?: Transport | undefined;
  /**
   * Signs the tokens of providers whose tokens are made here, with a key that the library does not see. A client with a
   * signer must be closed.
   */
  signer?: Signer | undefined;
  /** The engine to use instead of the one that the process shares. */
  runtime?: Runtime | undefined;
}

/** What a call that waits can be given. */
export interface WaitOptions {
  /** Ends this wait. */
  signal?: AbortSignal | undefined;
}

/** What a token is for, where the provider's tokens are for claims: an id, or several, by the name of the claim. */
export type Claims = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Which token a call is for, and how good it must be. */
export interface RequestOptions extends Omit<RequestSettings, 'claims'> {
  /** The claims the token is for: those that the claim set takes, or any. */
  claims?: Claims | undefined;
}

/** What a call for a token can ask for. */
export interface TokenOptions extends RequestOptions, WaitOptions {
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
export class Client<ClaimSet extends string = string, Ids extends Claims = Claims> {
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
    const { runtime, transport, signer, ...settings } = options;
    if (transport !== undefined && typeof transport !== 'function') {
      throw new TypeError('The option transport must be a function, such as nodeTransport().');
    }
    if (signer !== undefined && typeof signer !== 'function') {
      throw new TypeError('The option signer must be a function which returns the signature of the bytes it is given.');
    }
    if (runtime !== undefined && !(runtime instanceof Runtime)) {
      throw new TypeError('The option runtime must be a Runtime.');
    }
    if (typeof provider !== 'string' && !(provider instanceof Provider)) {
      throw new TypeError('The provider must be a name or a Provider.');
    }
    const descriptor = typeof provider === 'string' ? Provider.builtin(provider) : provider;
    const engine = runtime ? Runtime.handle(runtime) : sharedRuntime().handle;
    const byHost = { transport: transport && 'host', signer: signer && 'host' };
    this.#handle = withOptions({ ...settings, ...byHost }, (bag) =>
      connected().Client.create(engine, Provider.handle(descriptor), bag),
    );
    this.#provider = descriptor.name;
    this.#ownHub = transport !== undefined || signer !== undefined;
    if (this.#ownHub) {
      this.#hub = new Hub(engine, { transport, signer });
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
  peekToken(options: RequestOptions = {}): Token | undefined {
    const handle = this.#handle.peek(this.#request(options), null, null);
    return handle ? new Token(handle) : undefined;
  }

  /**
   * The token for a claim set with its ids, or for ids alone; without either, for the client's own claim set. The same
   * one is handed out until it has to be renewed. `token()` takes the same as options, beside others.
   */
  mint(claimSet?: ClaimSet, ids?: Ids): Promise<Token>;
  mint(ids: Ids): Promise<Token>;
  mint(first?: ClaimSet | Ids, ids?: Ids): Promise<Token> {
    return this.token(typeof first === 'object' ? { claims: first } : { claimSet: first, claims: ids });
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
   * Tells with which status the provider refused a request that carried these headers or this token. `retry`, where
   * that says the token is no longer taken (401): get the headers again and repeat the request once. `stop`: give up with
   * the provider's answer. `date` is the refusal's Date header: where this machine's clock is wrong, the provider's time
   * is learned from it.
   */
  reportRejected(refused: AuthHeaders | Token, httpStatus = 401, date: string | null = null): 'retry' | 'stop' {
    const { slot, generation } = origin(refused);
    return this.#handle.reportRejected(slot, generation, httpStatus, date) === Advice.RETRY ? 'retry' : 'stop';
  }

  /** Who the provider takes the client for. Each call asks it; FLEETAUTH_E_UNSUPPORTED where it does not tell. */
  async whoami(options: TokenOptions = {}): Promise<Identity> {
    return identity(await this.#inquire(Inquiry.IDENTITY, (event) => event.identity(), options));
  }

  /**
   * The accounts the client may act for: what the option `account` takes. Each call asks the provider;
   * FLEETAUTH_E_UNSUPPORTED where it lists none.
   */
  async accounts(options: TokenOptions = {}): Promise<Account[]> {
    return accounts(await this.#inquire(Inquiry.ACCOUNTS, (event) => event.accounts(), options));
  }

  /**
   * Logs in by answering the challenge of an `OtpRequired` with the one-time code. After FLEETAUTH_E_OTP_REJECTED the
   * same challenge can be answered again. A code is sent once, whatever becomes of the answer.
   */
  async answer(challenge: Challenge, code: string | Uint8Array, options: WaitOptions = {}): Promise<Token> {
    options.signal?.throwIfAborted();
    const question = nativeChallenge(challenge);
    const bytes = typeof code === 'string' ? Buffer.from(code) : code;
    if (!((bytes as unknown) instanceof Uint8Array)) {
      throw new TypeError('The argument code must be a string or a Uint8Array.');
    }
    const answered = this.#run(
      (queue, tag) => this.#handle.answer(question, bytes, queue, tag),
      (event) => event.token(),
      options,
    );
    if (bytes !== code) bytes.fill(0);
    return new Token(await answered);
  }

  /**
   * The challenge as bytes that can be kept, encrypted under a key of 32 bytes. A client of the same provider with the
   * same parameters, secrets aside, can open them, in any process.
   */
  sealChallenge(challenge: Challenge, key: Uint8Array): Buffer {
    const blob = this.#handle.sealChallenge(nativeChallenge(challenge), key);
    const bytes = blob.bytes() ?? Buffer.alloc(0);
    blob.release();
    return bytes;
  }

  /**
   * The challenge in what sealChallenge() returned. FLEETAUTH_E_KEY for another key, FLEETAUTH_E_CRYPTO for bytes that
   * are damaged or another client's.
   */
  openChallenge(sealed: Uint8Array, key: Uint8Array): Challenge {
    return new Challenge(this.#handle.openChallenge(sealed, key));
  }

  /**
   * Forgets the tokens, logins and challenges, then has the provider revoke what it can revoke. When a revocation
   * fails, they are forgotten all the same. The next token is a new login.
   */
  async logout(options: WaitOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await this.#run(
      (queue, tag) => this.#handle.logout(queue, tag),
      (event) => {
        event.result();
      },
      options,
    );
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
    if (this.#cachesFor(options)) this.#cache.keep(url, options, ready);
    return ready;
  }

  #peek(url: string, options: HeadersOptions | undefined): Authorisation | undefined {
    const caches = this.#cachesFor(options);
    const cached = caches ? this.#cache.find(url, options) : undefined;
    if (cached !== undefined) return cached;
    const token = this.#handle.peek(this.#request(options), options?.method ?? null, url);
    if (token === null) return undefined;
    const ready = authorisation(token);
    if (caches) this.#cache.keep(url, options, ready);
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
    return this.#run(
      (queue, tag) => this.#handle.start(request, method, url, queue, tag),
      (event) => event.token(),
      { signal },
    );
  }

  async #inquire<T>(what: number, outcome: (event: NativeEvent) => T, options: TokenOptions): Promise<T> {
    options.signal?.throwIfAborted();
    const request = this.#request(options);
    return await this.#run((queue, tag) => this.#handle.inquire(request, what, queue, tag), outcome, options);
  }

  #run<T>(
    begin: (queue: NativeQueue, tag: number) => NativeOp,
    outcome: (event: NativeEvent) => T,
    { signal }: WaitOptions,
  ): Promise<T> {
    return this.#hub.run(begin, outcome, signal);
  }

  /** The prepared call for these settings; null for the defaults. A bounded number is kept. */
  #request(options: RequestOptions = {}): NativeRequest | null {
    const { api, account, claimSet, timeoutMs, minRemainingMs } = options;
    const claims = claimsText(options);
    const settings: RequestSettings = { api, account, claimSet, claims, timeoutMs, minRemainingMs };
    const wishes = Object.values(settings);
    if (wishes.every((wish) => wish === undefined)) return null;
    const key = JSON.stringify(wishes);
    let request = this.#requests.get(key);
    if (request === undefined) {
      request = withOptions(settings, (bag) => connected().Request.create(this.#handle, bag));
      if (this.#requests.size >= 1024) this.#requests.clear();
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
