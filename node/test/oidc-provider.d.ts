/** What the tests use of the server, which is written in JavaScript. */
declare module 'oidc-provider' {
  import type { EventEmitter } from 'node:events';
  import type { RequestListener } from 'node:http';

  export interface Context {
    readonly body: Readonly<Record<string, unknown>>;
    readonly oidc: { readonly params: Readonly<Record<string, string | undefined>> };
    get(header: string): string;
  }

  interface Saved {
    save(): Promise<string>;
  }
  interface Grant extends Saved {
    addOIDCScope(scope: string): void;
  }

  export class Provider extends EventEmitter {
    constructor(issuer: string, configuration: object);
    callback(): RequestListener;
    readonly Client: { find(id: string): Promise<object | undefined> };
    readonly Grant: new (of: { accountId: string; clientId: string }) => Grant;
    readonly RefreshToken: new (of: {
      accountId: string;
      client: object;
      grantId: string;
      gty: string;
      scope: string;
    }) => Saved;
    on(event: 'grant.success', listener: (ctx: Context) => void): this;
  }
}
