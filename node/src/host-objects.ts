import { Challenge } from './challenge';
import { FleetAuthError } from './fleetauth-error';
import { Status, STATUS_TABLE } from './gen/errors';
import type { NativeError } from './gen/native';
import { native } from './load';
import { TransportError } from './transport';

/**
 * What transports and signers threw, by the id under which the library passes it on. Ids are unique in the process, because an
 * error made in one worker can reach a caller in another.
 */
const objects = new Map<number, unknown>();
let last = 0;

export function keepHostObject(object: unknown): number {
  last = (last + 1) % 2 ** 32;
  const id = native().environment * 2 ** 32 + last;
  objects.set(id, object);
  return id;
}

export function dropHostObject(id: number): void {
  objects.delete(id);
}

/** What is thrown for a failed call: what the caller's own transport or signer threw, unchanged, or one of our errors. */
export function makeError(status: number, error: NativeError | null): unknown {
  const id = error?.userError() ?? 0;
  const thrown = objects.get(id);
  if (objects.has(id) && !(thrown instanceof TransportError)) return thrown;
  const row = STATUS_TABLE.get(status) ?? { code: 'FLEETAUTH_E_INTERNAL' as const, type: FleetAuthError };
  const cause = thrown instanceof TransportError ? thrown.cause : undefined;
  const challenge = error && status === Status.E_OTP_REQUIRED ? new Challenge(error.challenge()) : undefined;
  const made = new row.type(status, row.code, error, cause, challenge);
  error?.release();
  return made;
}
