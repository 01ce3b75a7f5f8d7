import type { NativeAccounts, NativeIdentity } from './gen/native';

/**
 * Who the provider takes the client for: the fields that its descriptor names, such as `id`, `email` and `role`, as far
 * as its answer had them. Frozen; no field is a secret.
 */
export type Identity = Readonly<Partial<Record<string, string>>>;

/** An account that the client may act for. Frozen. */
export interface Account {
  /** What the option `account` takes. */
  readonly id: string;
  /** What people call it; undefined where the provider does not say. */
  readonly name: string | undefined;
}

/** Takes the fields out of an identity, which it releases. */
export function identity(handle: NativeIdentity): Identity {
  const fields = Array.from(
    { length: handle.count() },
    (_, index) => [handle.name(index), handle.value(index)] as const,
  );
  handle.release();
  return Object.freeze(Object.fromEntries(fields) as Record<string, string>);
}

/** Takes the accounts out of a list, which it releases. */
export function accounts(handle: NativeAccounts): Account[] {
  const list = Array.from({ length: handle.count() }, (_, index) =>
    Object.freeze({ id: handle.id(index) ?? '', name: handle.name(index) || undefined }),
  );
  handle.release();
  return list;
}
