import type { NativeOptions } from './gen/native';
import { native } from './load';

/** Lends the settings, as the library takes them, to `use`, and wipes them afterwards. Names and ranges are the library's to check. */
export function withOptions<T>(settings: object, use: (options: NativeOptions) => T): T {
  const options = native().Options.create();
  try {
    for (const [name, value] of Object.entries(settings)) put(options, name, value);
    return use(options);
  } finally {
    options.release();
  }
}

function put(options: NativeOptions, name: string, value: unknown): void {
  const key = name.replace(/[A-Z]/g, (letter) => '_' + letter.toLowerCase());
  if (value === undefined || value === null) return;
  if (typeof value === 'string') {
    options.setText(key, value);
  } else if (value instanceof Uint8Array) {
    options.setBytes(key, value);
  } else if (typeof value === 'number' && Number.isSafeInteger(value)) {
    options.setI64(key, value);
  } else if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') {
    options.setText(key, String(value));
  } else {
    throw new TypeError(
      `The option ${name} must be a string, a number, a boolean or a Uint8Array, not ${kind(value)}.`,
    );
  }
}

function kind(value: unknown): string {
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
