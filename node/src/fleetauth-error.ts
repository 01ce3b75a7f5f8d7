import type { Challenge } from './challenge';
import type { ErrorCode } from './gen/errors';
import type { NativeError } from './gen/native';

/** Root of everything the library raises; raised itself only for misuse of the library and for its own faults. */
export class FleetAuthError extends Error {
  /** `FLEETAUTH_E_RATE_LIMITED` and the like: what to compare with. */
  readonly code: ErrorCode;
  /** The number of the code. */
  readonly status: number;
  readonly provider: string | undefined;
  /** The account the call was made for. */
  readonly account: string | undefined;
  /** The provider's own word for the error, such as `invalid_client`. */
  readonly providerCode: string | undefined;
  /** The HTTP status of the provider's answer. */
  readonly httpStatus: number | undefined;
  /** Whether the same call may succeed later without any change. */
  readonly retryable: boolean;
  /** How long to wait before trying again, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Whether the request may have reached the provider although its answer was lost. */
  readonly inDoubt: boolean;
  /** What to answer with the one-time code; an `OtpRequired` has it unless it says that a code was refused. */
  readonly challenge: Challenge | undefined;

  /** @internal `error` is null when not even memory for it was left. */
  constructor(status: number, code: ErrorCode, error: NativeError | null, cause?: unknown, challenge?: Challenge) {
    super(error?.message() ?? 'Memory ran out.', cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.status = status;
    this.provider = error?.provider() || undefined;
    this.account = error?.account() || undefined;
    this.providerCode = error?.providerCode() || undefined;
    this.httpStatus = error?.httpStatus() || undefined;
    this.retryable = error?.retryable() === 1;
    const retryAfterMs = error?.retryAfterMs() ?? -1;
    this.retryAfterMs = retryAfterMs < 0 ? undefined : retryAfterMs;
    this.inDoubt = error?.inDoubt() === 1;
    this.challenge = challenge;
  }
}
