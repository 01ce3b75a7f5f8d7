import { readFileSync } from 'node:fs';

import type { NativeProvider } from './gen/native';
import { connected } from './hub';

/** What is known about a provider: an immutable, checked descriptor. */
export class Provider {
  readonly #handle: NativeProvider;

  /** @internal */
  static handle(provider: Provider): NativeProvider {
    return provider.#handle;
  }

  private constructor(handle: NativeProvider) {
    this.#handle = handle;
  }

  /** The built-in provider of that name. */
  static builtin(name: string): Provider {
    return new Provider(connected().Provider.builtin(name));
  }

  /** A descriptor from its JSON text; `source` names it in messages. */
  static fromJson(json: string, source = 'descriptor'): Provider {
    return new Provider(connected().Provider.fromJson(json, source));
  }

  /** A descriptor from a file. */
  static fromFile(path: string): Provider {
    return Provider.fromJson(readFileSync(path, 'utf8'), path);
  }

  /** The names of the built-in providers, in alphabetical order. */
  static get builtinNames(): string[] {
    const names: string[] = [];
    for (let name; (name = connected().Provider.builtinName(names.length)) !== null;) names.push(name);
    return names;
  }

  get name(): string {
    return this.#handle.name() ?? '';
  }

  /** The checked descriptor: parameters, origins, schemes and API groups, with their documentation. */
  get description(): Record<string, unknown> {
    return JSON.parse(this.#handle.description() ?? '{}') as Record<string, unknown>;
  }
}
