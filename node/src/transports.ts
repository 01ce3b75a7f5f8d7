import * as http from 'node:http';
import * as https from 'node:https';

import { TransportError } from './transport';
import type { HttpAnswer, HttpCall, Transport, TransportFailure } from './transport';

/** Options of Node's own requests that make sense here, such as `ca`, `lookup` or `localAddress`. */
export type NodeTransportOptions = Pick<
  https.RequestOptions,
  'ca' | 'cert' | 'key' | 'passphrase' | 'family' | 'localAddress' | 'lookup' | 'minVersion'
>;

/** A transport on Node's `http` and `https`: a new connection for each call, TLS verified, nothing followed or decoded. */
export function nodeTransport(options: NodeTransportOptions = {}): Transport {
  return (call) =>
    new Promise<HttpAnswer>((resolve, reject) => {
      const { request: send } = call.url.startsWith('https:') ? https : http;
      let connected = false;
      const request = send(call.url, {
        ...options,
        agent: false,
        rejectUnauthorized: true,
        maxHeaderSize: 65_536,
        method: call.method,
        headers: Object.fromEntries(call.headers),
        signal: call.signal,
      });
      request.on('socket', (socket) => {
        socket.once(call.url.startsWith('https:') ? 'secureConnect' : 'connect', () => (connected = true));
      });
      request.on('error', (error) => {
        reject(translated(error, connected));
      });
      request.on('response', (response) => {
        resolve({
          status: response.statusCode ?? 0,
          headers: pairs(response.rawHeaders),
          body: readBody(response),
        });
      });
      request.end(call.body);
    });
}

/** Options of a `fetch` that are not the standard's, such as undici's `dispatcher`. */
export interface FetchTransportOptions {
  fetch?: typeof globalThis.fetch | undefined;
  /** Further members for fetch's `init`. */
  init?: object | undefined;
}

/**
 * A transport on `fetch`. Node's fetch decodes compressed answers, which cannot be switched off: an answer that is compressed although that
 * was not asked for is handed on without its body. It does not tell whether a connection was made before it failed, which then counts as a
 * request that may have been sent, and goes on connecting after its time. Prefer nodeTransport() where `fetch` is not needed for its dispatcher.
 */
export function fetchTransport({ fetch = globalThis.fetch, init = {} }: FetchTransportOptions = {}): Transport {
  return async (call) => {
    let response: Response;
    try {
      response = await fetch(call.url, {
        ...init,
        method: call.method,
        headers: fetchHeaders(call),
        body: call.body.length > 0 ? (call.body as Uint8Array<ArrayBuffer>) : null,
        redirect: 'manual',
        signal: call.signal,
      });
    } catch (error) {
      throw translated(error, undefined);
    }
    const headers = Array.from(response.headers, ([name, value]) => [name, value.trim()] as const);
    if (response.headers.has('content-encoding')) {
      await response.body?.cancel(); // the headers say it all
      return { status: response.status, headers, body: null };
    }
    return { status: response.status, headers, body: readBody(response.body ?? []) };
  };
}

function fetchHeaders(call: HttpCall): [string, string][] {
  const headers = call.headers.map(([name, value]): [string, string] => [name, value]);
  headers.push(['connection', 'close']); // so that no other call finds a connection that may be dead
  if (!headers.some(([name]) => name.toLowerCase() === 'accept-encoding'))
    headers.push(['accept-encoding', 'identity']);
  return headers;
}

function pairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index] ?? '', raw[2 * index + 1] ?? '']);
}

async function* readBody(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) yield chunk;
  } catch (error) {
    throw translated(error, true);
  }
}

const DNS = /^(ENOTFOUND|EAI_|ENODATA$)/;
const CONNECT = /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT)/;
const TLS = /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|HOSTNAME_MISMATCH)/;

/** Says what an error of Node or of fetch means; `connected`: whether the request may have been sent, if that is known. */
function translated(error: unknown, connected: boolean | undefined): TransportError {
  const cause = error instanceof TypeError && error.cause !== undefined ? error.cause : error; // fetch hides it there
  const told = plain(cause);
  return new TransportError(failure(told.code, connected), told.code, { cause: told });
}

/** What may be seen of a library's error: its code, or else its class. All else may quote the request or the answer. */
function plain(error: unknown): Error & { code: string } {
  const { code: given } = Object(error) as { code?: unknown };
  const code = typeof given === 'string' ? given : error instanceof Error ? error.name : 'Error';
  return Object.assign(new Error(code), { code });
}

function failure(code: string, connected: boolean | undefined): TransportFailure {
  if (connected) return 'E_NETWORK';
  if (DNS.test(code)) return 'E_DNS';
  if (TLS.test(code)) return 'E_TLS';
  return CONNECT.test(code) || connected === false ? 'E_CONNECT' : 'E_NETWORK';
}
