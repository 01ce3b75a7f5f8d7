/** What a signer is told about the signature that is wanted. */
export interface SignInfo {
  /** The id of the key, as the client was given it; empty if it was given none. */
  readonly keyId: string;
  /** What to sign with, by its name in JWA (RFC 7518). `RS256`: RSASSA-PKCS1-v1_5 with SHA-256. */
  readonly algorithm: string;
  /** How long the signature is awaited, in milliseconds; `signal` is aborted then. */
  readonly timeoutMs: number;
  /** Aborted when the signature is no longer wanted. */
  readonly signal: AbortSignal;
}

/**
 * Signs in the library's stead, with a key that need not be shown: in an HSM, a KMS or at another service. It is given
 * the very bytes to sign, not their digest, and returns the signature as bytes, not base64. What it throws comes out
 * unchanged at the caller, but for a `TransportError`, which says that a service could not be reached: it is asked again.
 */
export type Signer = (data: Buffer, info: SignInfo) => Uint8Array | Promise<Uint8Array>;
