import { inspect } from 'node:util';

import type { NativeToken } from './gen/native';
import { Generation } from './generation';

/** The headers that authorise a request; frozen. Printing them shows their names only. */
export type AuthHeaders = Readonly<Record<string, string>>;

/** Headers with the generation of the token they carry. */
export interface Authorisation {
  readonly headers: AuthHeaders;
  readonly generation: Generation;
}

const generations = new WeakMap<AuthHeaders, Generation>();

/** Where headers that we handed out come from; undefined for other objects, copies among them. */
export function generationOf(headers: object): Generation | undefined {
  return generations.get(headers as AuthHeaders);
}

/** Not enumerable, so that copies are made of the headers alone. */
const REDACTED = {
  value(this: object) {
    return Object.fromEntries(Object.keys(this).map((name) => [name, '[redacted]']));
  },
};

/** Takes the headers out of a token, which it releases. */
export function authorisation(token: NativeToken): Authorisation {
  const headers: Record<string, string> = {};
  const count = token.headerCount();
  for (let index = 0; index < count; ++index) headers[token.headerName(index) ?? ''] = token.headerValue(index) ?? '';
  const generation = new Generation(token);
  token.release();
  Object.defineProperty(headers, inspect.custom, REDACTED);
  Object.freeze(headers);
  generations.set(headers, generation);
  return { headers, generation };
}

const LIMIT = 1024;

/** Ready headers by exact method, URL and API group. Holds a bounded number; the oldest goes first. */
export class HeaderCache {
  readonly #get = new Map<string, Authorisation>();
  readonly #other = new Map<string, Authorisation>();

  find(url: string, method: string | undefined, api: string | undefined): Authorisation | undefined {
    const found =
      method === undefined && api === undefined ? this.#get.get(url) : this.#other.get(key(url, method, api));
    return found?.generation.isCurrent ? found : undefined;
  }

  keep(url: string, method: string | undefined, api: string | undefined, ready: Authorisation): void {
    if (!ready.generation.cacheable) return;
    const plain = method === undefined && api === undefined;
    const map = plain ? this.#get : this.#other;
    const name = plain ? url : key(url, method, api);
    if (map.size >= LIMIT && !map.has(name)) {
      const [oldest] = map.keys();
      if (oldest !== undefined) map.delete(oldest);
    }
    map.set(name, ready);
  }

  clear(): void {
    this.#get.clear();
    this.#other.clear();
  }
}

function key(url: string, method = 'GET', api = ''): string {
  return `${method} ${api} ${url}`;
}
