import { native } from './load';

/** The version of the library inside the addon. */
export function version(): string {
  return native().version() ?? '';
}

/** Every library inside the addon with its version, one `name version` a line. */
export function dependencies(): string {
  return native().dependencies() ?? '';
}

/** Whether the build has a feature, such as `transport.curl`. */
export function hasFeature(name: string): boolean {
  return native().hasFeature(name) !== 0;
}
