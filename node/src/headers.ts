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

/** What headers depend on, beside the URL. */
interface Wanted {
  readonly method?: string | undefined;
  readonly api?: string | undefined;
  readonly account?: string | undefined;
  readonly claimSet?: string | undefined;
  readonly claims?: unknown;
}

/** The claims as the library takes them. */
export function claimsText({ claims }: Wanted): string | undefined {
  if (claims === undefined) return undefined;
  // JSON.stringify makes {} of a Map, and nothing of a function.
  if (typeof claims !== 'object' || claims === null || Symbol.iterator in claims) {
    throw new TypeError("The option claims must be an object of ids by their claims' names, as { vehicleid: 'v1' }.");
  }
  return JSON.stringify(claims);
}

/** Ready headers by exact method, URL, API group, account and claims. Holds a bounded number; the oldest goes first. */
export class HeaderCache {
  readonly #get = new Map<string, Authorisation>();
  readonly #other = new Map<string, Authorisation>();

  find(url: string, wanted?: Wanted): Authorisation | undefined {
    const found = plain(wanted) ? this.#get.get(url) : this.#other.get(key(url, wanted));
    return found?.generation.isCurrent ? found : undefined;
  }

  keep(url: string, wanted: Wanted | undefined, ready: Authorisation): void {
    if (!ready.generation.cacheable) return;
    const map = plain(wanted) ? this.#get : this.#other;
    const name = plain(wanted) ? url : key(url, wanted);
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

function plain(wanted: Wanted | undefined): boolean {
  return (
    wanted?.method === undefined &&
    wanted?.api === undefined &&
    wanted?.account === undefined &&
    wanted?.claimSet === undefined &&
    wanted?.claims === undefined
  );
}

/** An account may hold any character, so its length tells where it ends; one of no characters differs from none. */
function key(url: string, wanted: Wanted = {}): string {
  const { method = 'GET', api = '', account, claimSet } = wanted;
  const claims = claimsText(wanted);
  if (claimSet !== undefined || claims !== undefined)
    return JSON.stringify([method, api, account, claimSet, claims, url]);
  return account === undefined ? `${method} ${api} ${url}` : `${method} ${api} ${account.length} ${account}${url}`;
}
