// The backend of a fleet that gives apps their tokens for Fleet Engine: the routes and answers of Google's samples.
//
//   FLEET_ENGINE_SERVICE_ACCOUNT_FILE=key.json FLEET_TOKEN_KEY=… PORT=8080 node token-server.mjs
//
// In express: app.use(tokenServer({ client, authorise })); it passes on what is not its own.
import { Buffer } from 'node:buffer';
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

import { ConfigurationError, FleetEngine } from 'fleetauth';

/** What can be had at /token/NAME/ID: the claims of the token, and how the sample in question spells its answer. */
const onDemand = (jwt, created, expires) => ({ jwt, creationTimestamp: created, expirationTimestamp: expires });
const lastMile = (token, created, expires) => ({
  token,
  creation_timestamp_ms: created,
  expiration_timestamp_ms: expires,
});
const KINDS = {
  driver: { claimSet: 'driver', claim: 'vehicleid', answer: onDemand },
  consumer: { claimSet: 'consumer', claim: 'tripid', answer: onDemand },
  delivery_driver: { claimSet: 'untrusted_delivery_driver', claim: 'deliveryvehicleid', answer: lastMile },
  delivery_consumer: { claimSet: 'delivery_consumer', claim: 'trackingid', answer: lastMile },
};

/**
 * A handler for requests of node:http and express. `client` mints the tokens. `authorise(request, { kind, id })` says,
 * by true or a promise of it, whether whoever asks may have the token of that kind ('driver', 'consumer',
 * 'delivery_driver', 'delivery_consumer') for that id: your sessions, your roles, your assignment of drivers to
 * vehicles. It is asked before anything else; `id` is undefined where it is no text.
 */
export function tokenServer({ client, authorise }) {
  if (typeof authorise !== 'function') {
    throw new TypeError('tokenServer needs authorise(request, { kind, id }), which decides who gets which token.');
  }
  return async (request, response, next) => {
    const [status, body] = await answer(client, authorise, request);
    if (status === 404 && next) return next();
    response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
    response.end(JSON.stringify(body));
  };
}

async function answer(client, authorise, request) {
  const wanted = parse(request);
  if (wanted === undefined) return [404, { error: 'Not found' }];
  const { kind, id } = wanted;
  try {
    if ((await authorise(request, wanted)) !== true) return [403, { error: 'You may not have this token' }];
    // A device must not come by a token for all of them; the claim sets take no '*', either.
    if (!id || id === '*') return [400, { error: 'The id must be that of one thing' }];
    const token = (await client.mint(KINDS[kind].claimSet, { [KINDS[kind].claim]: id })).reveal();
    const { iat, exp } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
    return [200, KINDS[kind].answer(token, iat * 1000, exp * 1000)];
  } catch (error) {
    if (error instanceof ConfigurationError) return [400, { error: 'The id is malformed' }];
    console.error(`token-server: ${kind}: ${error}`);
    return [500, { error: 'The token could not be made' }];
  }
}

/** Which token is asked for; its id is undefined if it is no text. */
function parse({ method, url }) {
  const [, kind, id] = /^\/token\/([a-z_]+)(?:\/([^/?]*))?(?:\?.*)?$/.exec(url) ?? [];
  if (method !== 'GET' || !Object.hasOwn(KINDS, kind ?? '')) return undefined;
  try {
    return { kind, id: decodeURIComponent(id ?? '') };
  } catch {
    return { kind, id: undefined };
  }
}

/** Lets in whoever knows a key. In a real backend, decide by who is logged in, and by what is theirs. */
function byKey(key) {
  const digest = (text) => createHash('sha256').update(text).digest();
  const expected = digest(`Bearer ${key}`);
  return ({ headers }) => timingSafeEqual(digest(headers.authorization ?? ''), expected);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { FLEET_ENGINE_SERVICE_ACCOUNT_FILE, FLEET_TOKEN_KEY, PORT = '8080' } = process.env;
  if (!FLEET_TOKEN_KEY) throw new Error('Set FLEET_TOKEN_KEY: who knows it gets tokens.');
  const client = new FleetEngine({ serviceAccountFile: FLEET_ENGINE_SERVICE_ACCOUNT_FILE });
  const server = createServer(tokenServer({ client, authorise: byKey(FLEET_TOKEN_KEY) }));
  server.listen(Number(PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/token/…`));
}
