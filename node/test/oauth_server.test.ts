// The generic OAuth 2.0 provider against an authorization server that shares nothing with us: oidc-provider, over TLS.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, mock, test } from 'node:test';
import { inspect } from 'node:util';

import { InvalidCredentials, LoginRequired, ManualClock, OAuth2, Runtime } from 'fleetauth';
import type { OAuth2Options } from 'fleetauth';
import type { Context, Provider } from 'oidc-provider';

import { rejection } from './support';

/** Of characters that form encoding changes (RFC 6749, 2.3.1), the colon that parts a Basic pair among them. */
const ODD = { clientId: 'fleet:backend/1+2 %3A&x=y', clientSecret: 's:e c+r%e&t=~"?#/\\!*()' };
const PLAIN = { clientId: 'backend', clientSecret: 'correct-horse-battery-staple' };
const POST = { clientId: 'form-backend', clientSecret: 'another secret & more' };
const CLIENTS = [
  { ...ODD, method: 'client_secret_basic' },
  { ...PLAIN, method: 'client_secret_basic' },
  { ...POST, method: 'client_secret_post' },
];
const DRIVER = 'driver-7';
const SCOPE = 'offline_access fleet.read';
const LONGER_THAN_A_TOKEN_MS = 2 * 3_600_000;

/** A token that the server issued, and how it was asked for. */
interface Issued {
  readonly by: 'basic' | 'post';
  readonly sent: string | undefined;
  readonly access: unknown;
  readonly refresh: unknown;
}

/** The server and what it issued, in this process. */
class AuthorizationServer {
  readonly issued: Issued[] = [];
  private constructor(
    private readonly https: Server,
    private readonly provider: Provider,
    readonly url: string,
    readonly caPem: string,
  ) {
    provider.on('grant.success', (ctx: Context) => {
      this.issued.push({
        by: ctx.get('authorization') === '' ? 'post' : 'basic',
        sent: ctx.oidc.params.refresh_token,
        access: ctx.body.access_token,
        refresh: ctx.body.refresh_token,
      });
    });
  }

  static async start(): Promise<AuthorizationServer> {
    const { key, cert } = selfSigned();
    const https = createServer({ key, cert });
    await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(https.address() as AddressInfo).port}`;
    const { Provider } = await import('oidc-provider');
    const provider = new Provider(url, {
      clients: CLIENTS.map(({ clientId, clientSecret, method }) => ({
        client_id: clientId,
        client_secret: clientSecret,
        token_endpoint_auth_method: method,
        grant_types: ['authorization_code', 'client_credentials', 'refresh_token'],
        redirect_uris: ['https://fleet.example/callback'],
      })),
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        introspection: { enabled: true },
        revocation: { enabled: true },
      },
      findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
      rotateRefreshToken: true,
      routes: { introspection: '/introspect', revocation: '/revoke' },
      scopes: ['offline_access', 'fleet.read'],
      ttl: { AccessToken: 3600, ClientCredentials: 600, Grant: 86_400, RefreshToken: 86_400 },
    });
    https.on('request', provider.callback());
    return new AuthorizationServer(https, provider, url, cert);
  }

  /** What a person's consent in the browser ends with. */
  async firstRefreshToken(clientId: string): Promise<string> {
    const client = await this.provider.Client.find(clientId);
    assert.ok(client);
    const grant = new this.provider.Grant({ accountId: DRIVER, clientId });
    grant.addOIDCScope(SCOPE);
    const of = { accountId: DRIVER, client, grantId: await grant.save(), gty: 'authorization_code', scope: SCOPE };
    return new this.provider.RefreshToken(of).save();
  }

  /** RFC 7662, as a resource server asks. */
  introspect(token: unknown): Promise<Record<string, unknown>> {
    const form = new URLSearchParams({
      token: String(token),
      client_id: PLAIN.clientId,
      client_secret: PLAIN.clientSecret,
    });
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const out = request(`${this.url}/introspect`, { method: 'POST', headers, ca: this.caPem, agent: false });
      out.on('error', reject).on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          resolve(JSON.parse(text) as Record<string, unknown>);
        });
      });
      out.end(form.toString());
    });
  }

  async stop(): Promise<void> {
    const stopped = new Promise((resolve) => this.https.close(resolve));
    this.https.closeAllConnections();
    await stopped;
  }
}

/** A certificate for loopback that is its own authority. */
function selfSigned(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'fleetauth-oauth-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    words.push('-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert);
    execFileSync('openssl', words, { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

let server: AuthorizationServer;
before(async () => {
  // It warns that its keys and its store are made for development, which a test is.
  const warnings = mock.method(console, 'warn', () => undefined);
  server = await AuthorizationServer.start();
  warnings.mock.restore();
});
beforeEach(() => {
  server.issued.length = 0;
});
after(() => server.stop());

/** A client of this server, alone on a runtime, and the hand on its clock. */
async function withClient(
  options: Pick<OAuth2Options, 'clientId' | 'clientSecret'> & Partial<OAuth2Options>,
  run: (client: OAuth2, clock: ManualClock) => Promise<void>,
): Promise<void> {
  const clock = new ManualClock(new Date());
  await using runtime = new Runtime({ clock });
  const at = { authBaseUrl: server.url, apiBaseUrl: `${server.url}/api`, revokePath: 'revoke', caPem: server.caPem };
  await using client = new OAuth2({ ...at, proxy: 'none', runtime, ...options });
  await run(client, clock);
}

describe('client credentials', () => {
  for (const [name, credentials, options, by] of [
    ['by Basic', PLAIN, {}, 'basic'],
    ['by Basic, of odd characters', ODD, {}, 'basic'],
    ['in the form', POST, { scheme: 'client_secret_post' }, 'post'],
    ['in the form, of odd characters', ODD, { scheme: 'client_secret_post' }, 'post'],
  ] as const) {
    test(`${name} yield a token that the server knows`, () =>
      withClient({ ...credentials, ...options, scope: 'fleet.read' }, async (client) => {
        const token = await client.token();
        assert.deepEqual(
          server.issued.map((issued) => issued.by),
          [by],
        );
        const known = await server.introspect(token.reveal());
        assert.deepEqual(
          [known.active, known.client_id, known.scope, known.token_type],
          [true, credentials.clientId, 'fleet.read', 'Bearer'],
        );
        const apart = Math.abs(Number(known.exp) * 1000 - (token.expiresAt?.getTime() ?? 0));
        assert.ok(apart < 3000, `${apart} ms apart`);
      }));

    test(`${name} are refused with a wrong secret`, () =>
      withClient({ ...credentials, ...options, clientSecret: `${credentials.clientSecret}!` }, async (client) => {
        const error = await rejection(client.token());
        assert.ok(error instanceof InvalidCredentials, inspect(error));
        assert.deepEqual([error.providerCode, error.httpStatus, error.retryable], ['invalid_client', 401, false]);
      }));
  }

  test('are asked for again when the token has expired', () =>
    withClient(PLAIN, async (client, clock) => {
      const first = await client.token();
      clock.advance(LONGER_THAN_A_TOKEN_MS);
      assert.notEqual((await client.token()).reveal(), first.reveal());
      assert.equal(server.issued.length, 2);
    }));

  test('end with a logout: the token is revoked', () =>
    withClient(ODD, async (client) => {
      const token = (await client.token()).reveal();
      assert.equal((await server.introspect(token)).active, true);
      await client.logout();
      assert.equal((await server.introspect(token)).active, false);
    }));
});

for (const [name, credentials, options, by] of [
  ['by Basic', ODD, {}, 'basic'],
  ['in the form', POST, { scheme: 'refresh_token_post' }, 'post'],
] as const) {
  describe(`a refresh token that every renewal replaces, ${name}`, () => {
    const configured = async () => ({
      ...credentials,
      ...options,
      refreshToken: await server.firstRefreshToken(credentials.clientId),
    });

    test('is replaced by the one that came with the last renewal', async () => {
      const configuration = await configured();
      await withClient(configuration, async (client, clock) => {
        for (let round = 0; round < 3; ++round) {
          const token = await client.token();
          const known = await server.introspect(token.reveal());
          assert.deepEqual([known.active, known.sub, known.scope], [true, DRIVER, SCOPE]);
          clock.advance(LONGER_THAN_A_TOKEN_MS);
        }
      });
      const { issued } = server;
      assert.deepEqual(
        issued.map((one) => one.sent),
        [configuration.refreshToken, issued[0]?.refresh, issued[1]?.refresh],
      );
      assert.equal(new Set(issued.map((one) => one.refresh)).size, 3);
      assert.ok(issued.every((one) => one.by === by));
    });

    test('is no good a second time, and then neither is what replaced it', async () => {
      const configuration = await configured();
      const loginRequired = async (client: OAuth2) => {
        const error = await rejection(client.token());
        assert.ok(error instanceof LoginRequired, inspect(error));
        assert.deepEqual([error.code, error.providerCode], ['FLEETAUTH_E_LOGIN_REQUIRED', 'invalid_grant']);
      };
      await withClient(configuration, async (client, clock) => {
        const token = (await client.token()).reveal();
        await withClient(configuration, loginRequired);
        assert.equal((await server.introspect(token)).active, false, 'the server ended the whole grant');
        clock.advance(LONGER_THAN_A_TOKEN_MS);
        await loginRequired(client);
      });
      assert.equal(server.issued.length, 1);
    });

    test('is revoked by a logout, and the access token with it', async () => {
      const configuration = await configured();
      await withClient(configuration, async (client) => {
        await client.token();
        const [first] = server.issued;
        assert.ok(first);
        assert.equal((await server.introspect(first.refresh)).active, true);
        await client.logout();
        for (const token of [first.refresh, first.access]) {
          assert.equal((await server.introspect(token)).active, false);
        }
        assert.ok((await rejection(client.token())) instanceof LoginRequired);
      });
    });
  });
}
