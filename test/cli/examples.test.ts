/** The manifests that people copy. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkWarnings } from '#cli/manifest/check-warnings';
import { LOCAL_HOSTS } from '#cli/local-hosts';
import { checkManifest, readManifestFile } from '#cli/manifest/read-manifest';
import { surroundings } from '#src/house-facts';

const FOLDER = path.resolve(import.meta.dirname, '../../examples');
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
/** Those that are meant for the machine that the router runs on. */
const ON_THIS_MACHINE = new Set(['local.yaml', 'homelab-4090.yaml']);

function read(name: string) {
  const file = path.join(FOLDER, name);
  // Keys are never written, so nothing is forgiven that only `npm start` accepts.
  const around = surroundings(false, ON_THIS_MACHINE.has(name) ? LOCAL_HOSTS : []);
  return { text: readManifestFile(file), around, manifest: checkManifest(readManifestFile(file), file, around) };
}

it('are the one that npm start applies and the four that the docs name', () => {
  expect(FILES.toSorted()).toEqual(['eu-health.yaml', 'homelab-4090.yaml', 'local.yaml', 'solo.yaml', 'team.yaml']);
});

describe.each(FILES)('examples/%s', (name) => {
  const { text, around, manifest } = read(name);

  it('may be applied, and holds no key', () => {
    expect(manifest.version).toBe(1);
    expect(text).not.toMatch(/sk-[a-z]{2}-[A-Za-z0-9]{8}|\bvalue:/);
  });

  it('leaves every team and key something to ask for', () => {
    const every = new Proxy<Record<string, string>>({}, { get: () => 'set' });
    const warnings = checkWarnings(manifest, around, every);
    expect(warnings.filter((warning) => /for (\d+) of \1 models/.test(warning))).toEqual([]);
    expect(warnings.filter((warning) => !warning.startsWith('policy '))).toEqual([]);
  });
});

describe('examples/eu-health.yaml', () => {
  it('R1: leaves patient records one endpoint, the own one, and says why the others are out', () => {
    const { manifest, around } = read('eu-health.yaml');
    const warnings = checkWarnings(manifest, around, { OVH_AI_ENDPOINTS_ACCESS_TOKEN: 'x', CLINIC_NODE_KEY: 'x' });
    expect(warnings).toEqual([
      expect.stringMatching(/^policy patient-records leaves team clinic no endpoint for 10 of 11 models.*H1 privacy tier/),
    ]);
  });
});
