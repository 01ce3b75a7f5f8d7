import { inspect } from 'node:util';

import { TokenKind } from './gen/native';
import type { NativeToken } from './gen/native';

const KINDS = { [TokenKind.BEARER]: 'bearer', [TokenKind.BASIC]: 'basic', [TokenKind.STATIC]: 'static' } as const;

/** The handle in a token; for this package alone. */
export let nativeToken: (token: Token) => NativeToken;

/** A snapshot of a token. Printing it never shows the secret. */
export class Token {
  readonly #handle: NativeToken;

  static {
    nativeToken = (token) => token.#handle;
  }

  /** @internal */
  constructor(handle: NativeToken) {
    this.#handle = handle;
  }

  /** The secret as a string, which cannot be wiped. `client.headers()` is the better way to use it. */
  reveal(): string {
    const bytes = this.revealBytes();
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
    bytes.fill(0);
    return text;
  }

  /** The secret as bytes of their own, for the caller to wipe. */
  revealBytes(): Uint8Array {
    return this.#handle.secret() ?? new Uint8Array();
  }

  /** What the secret is: a token from the provider, the pair of Basic authentication, or a key that is sent as it is. */
  get kind(): 'bearer' | 'basic' | 'static' {
    return KINDS[this.#handle.kind() as keyof typeof KINDS];
  }

  /** When it expires by this machine's clock; null for never. */
  get expiresAt(): Date | null {
    const ms = this.#handle.expiresAtMs();
    return ms < 0 ? null : new Date(ms);
  }

  /** How long it still lives at this moment, in milliseconds; Infinity for ever. Immune to steps of the clock. */
  get expiresInMs(): number {
    const ms = this.#handle.expiresInMs();
    return ms < 0 ? Infinity : ms;
  }

  /** `tok:1a2b3c4d`: names the token in logs and reveals nothing. */
  get fingerprint(): string {
    return this.#handle.fingerprint() ?? '';
  }

  /** The provider's authorisation scheme that was used. */
  get scheme(): string {
    return this.#handle.scheme() ?? '';
  }

  /** Whether it was in memory, so that nobody waited for it. */
  get fromCache(): boolean {
    return this.#handle.fromCache() !== 0;
  }

  toString(): string {
    return `Token(${this.fingerprint})`;
  }

  toJSON(): object {
    return { fingerprint: this.fingerprint, scheme: this.scheme, kind: this.kind, expiresAt: this.expiresAt };
  }

  [inspect.custom](): string {
    return `Token { ${this.fingerprint}, ${this.scheme}, expires ${this.expiresAt?.toISOString() ?? 'never'} }`;
  }
}
