import type { HeadersOptions, RequestOptions } from './client';
import type { Authorisation } from './headers';

/** fetch's `init`, and what the authorisation can ask for. */
export interface FetchInit extends RequestInit, RequestOptions {
  /** The `fetch` to use; the global one by default. */
  fetch?: typeof globalThis.fetch | undefined;
}

/** What the client gives to authorisedFetch(). */
interface Authoriser {
  authorise(url: string, options: HeadersOptions): Promise<Authorisation>;
  reportRejected(refused: Authorisation['headers'], httpStatus: number, date: string | null): 'retry' | 'stop';
}

export async function authorisedFetch(
  client: Authoriser,
  input: string | URL | Request,
  init: FetchInit = {},
): Promise<Response> {
  const { api, account, claimSet, claims, timeoutMs, minRemainingMs, fetch: send = globalThis.fetch, ...rest } = init;
  const request = input instanceof Request ? input : undefined;
  const url = input instanceof Request ? input.url : String(input);
  if (rest.redirect === 'follow') {
    throw new TypeError('client.fetch does not follow redirects: use redirect "manual" (the default) or "error".');
  }
  const wanted: HeadersOptions = {
    method: (rest.method ?? request?.method ?? 'GET').toUpperCase(),
    api,
    account,
    claimSet,
    claims,
    timeoutMs,
    minRemainingMs,
    signal: rest.signal ?? request?.signal,
  };
  const attempt = async () => {
    const { headers: ours } = await client.authorise(url, wanted);
    const headers = new Headers(rest.headers ?? request?.headers);
    for (const [name, value] of Object.entries(ours)) headers.set(name, value);
    const redirect = rest.redirect ?? (request?.redirect === 'error' ? 'error' : 'manual');
    return { ours, response: await send(input, { ...rest, headers, redirect }) };
  };

  const report = ({ ours, response }: Awaited<ReturnType<typeof attempt>>) =>
    client.reportRejected(ours, response.status, response.headers.get('date'));

  const first = await attempt();
  if (first.response.ok) return first.response;
  if (report(first) === 'stop' || !replayable(rest.body, request)) return first.response;
  await first.response.body?.cancel();
  const second = await attempt();
  if (!second.response.ok) report(second);
  return second.response;
}

/** Whether the same body can be sent a second time: a stream is spent after the first. */
function replayable(body: FetchInit['body'], request: Request | undefined): boolean {
  if (body === undefined || body === null) return request?.body == null;
  return (
    typeof body === 'string' ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body) ||
    body instanceof URLSearchParams ||
    body instanceof Blob ||
    body instanceof FormData
  );
}
