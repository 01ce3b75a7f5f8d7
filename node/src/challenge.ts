import { inspect } from 'node:util';

import type { NativeChallenge } from './gen/native';

/** The handle in a challenge; for this package alone. */
export let nativeChallenge: (challenge: Challenge) => NativeChallenge;

/**
 * A provider's question for a one-time code: what `error.challenge` is and `client.answer()` takes. Printing it never
 * shows a secret.
 */
export class Challenge {
  readonly #handle: NativeChallenge;

  static {
    nativeChallenge = (challenge) => {
      if (!((challenge as unknown) instanceof Challenge)) {
        throw new TypeError(
          'The argument challenge must be a Challenge: error.challenge or what openChallenge() returned.',
        );
      }
      return challenge.#handle;
    };
  }

  /** @internal */
  constructor(handle: NativeChallenge) {
    this.#handle = handle;
  }

  /** The account that logs in; undefined where there is only one. */
  get account(): string | undefined {
    return this.#handle.account() || undefined;
  }

  /** Until when it can be answered, by this machine's clock. */
  get expiresAt(): Date {
    return new Date(this.#handle.expiresAtMs());
  }

  toString(): string {
    return `Challenge(${this.account ?? ''})`;
  }

  toJSON(): object {
    return { account: this.account, expiresAt: this.expiresAt };
  }

  [inspect.custom](): string {
    const account = this.account === undefined ? '' : `${this.account}, `;
    return `Challenge { ${account}expires ${this.expiresAt.toISOString()} }`;
  }
}
