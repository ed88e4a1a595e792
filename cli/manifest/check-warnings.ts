/** What `headrace check` warns of: what is allowed and yet hardly meant, and policies that leave nobody. */
import type { Manifest } from '#schema/manifest';
import { matchesGlob } from '#src/admission/caller';
import { warnOfSupply } from '#src/check-supply';
import { houseFacts } from '#src/house-facts';
import { compileManifest } from '#src/manifest/compile';
import type { ManifestSurroundings } from '#src/manifest/surroundings';
import { warnOf } from '#src/manifest/warn';

/** Lists warnings about a manifest that may be applied. `environment` tells which secrets are set. */
export function checkWarnings(manifest: Manifest, around: ManifestSurroundings, environment: Readonly<Record<string, string>>): string[] {
  const hasSecret = (name: string): boolean => environment[name] !== undefined;
  const rows = compileManifest({ manifest, ...houseFacts(), clientKeys: new Map() });
  const nowMs = Date.now();
  const { allowedHosts } = around;
  return [
    ...warnOf({ manifest, around, nowMs, hasSecret, matchesGlob }),
    ...warnOfSupply({ manifest, rows, nowMs, allowedHosts, hasSecret }),
  ];
}
