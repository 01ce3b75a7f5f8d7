import { createRequire } from 'node:module';
import { join } from 'node:path';

import { API_CHECKSUM } from './gen/native';
import type { Native } from './gen/native';

const requireAddon = createRequire(__filename);

/**
 * Where the addon can be: at the path in FLEETAUTH_NODE_NATIVE and nowhere else; or in the package for this platform,
 * which npm installs beside this one; or, in a checkout, where the build puts it.
 */
function candidates(): string[] {
  const chosen = process.env.FLEETAUTH_NODE_NATIVE;
  if (chosen) return [chosen.endsWith('.node') ? chosen : join(chosen, 'fleetauth.node')];
  const platform = `@fleetauth/${process.platform}-${process.arch}`;
  const packages = process.platform === 'linux' ? [`${platform}-gnu`, `${platform}-musl`] : [platform];
  return [...packages, join(__dirname, '..', 'build', 'fleetauth.node')];
}

function load(): Native {
  const tried: string[] = [];
  for (const candidate of candidates()) {
    try {
      const addon = requireAddon(candidate) as Native;
      if (addon.apiChecksum() === API_CHECKSUM) return addon;
      tried.push(`${candidate}: belongs to another version of fleetauth (${String(addon.version())})`);
    } catch (error) {
      tried.push(`${candidate}: ${firstLine(error)}`);
    }
  }
  throw new Error(
    `fleetauth has no native addon for ${process.platform}-${process.arch}. Install the package without ` +
      `--omit=optional, or set FLEETAUTH_NODE_NATIVE to the path of fleetauth.node. Tried:\n  ${tried.join('\n  ')}`,
  );
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}

let loaded: Native | undefined;

/** The addon, loaded at its first use. */
export function native(): Native {
  loaded ??= load();
  return loaded;
}
