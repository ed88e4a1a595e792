/** Which secrets a manifest names, and under which names its literal keys travel. */
import { createHash } from 'node:crypto';
import type { Manifest, SecretReference } from '#schema/manifest';

/** Computes the SHA-256 of a text as lower-case hex. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Names the binding that carries a key: the secret's own name, or one made from the hash of a literal. */
export function secretNameOf(reference: SecretReference): string {
  return (
    reference.secret ??
    `LITERAL_${sha256Hex(reference.value ?? '')
      .slice(0, 12)
      .toUpperCase()}`
  );
}

/** A key of a team, or a management key (`team` null), with where its value comes from. */
export interface ClientKeyReference {
  team: string | null;
  name: string;
  reference: SecretReference;
}

/** Names a key for people: `key ci of team research`. */
export function sayKey({ team, name }: Pick<ClientKeyReference, 'team' | 'name'>): string {
  return team === null ? `management key ${name}` : `key ${name} of team ${team}`;
}

/** Lists the keys that clients will present: management keys first, then team by team. */
export function clientKeys(manifest: Manifest): ClientKeyReference[] {
  const from = (team: string | null, key: { name: string } & SecretReference): ClientKeyReference => ({
    team,
    name: key.name,
    reference: key,
  });
  return [
    ...manifest.management_keys.map((key) => from(null, key)),
    ...manifest.teams.flatMap((team) => team.keys.map((key) => from(team.id, key))),
  ];
}

/** Whatever in a manifest may name a key that goes upstream. */
function upstreamKeys(manifest: Manifest): { key?: SecretReference | undefined }[] {
  return [...manifest.providers, ...manifest.endpoints, ...manifest.price_feeds];
}

/** Collects the literal upstream keys of a manifest as binding name → value. */
export function literalBindings(manifest: Manifest): Record<string, string> {
  const references = upstreamKeys(manifest).flatMap(({ key }) => (key?.value === undefined ? [] : [key]));
  return Object.fromEntries(references.map((reference) => [secretNameOf(reference), reference.value ?? '']));
}

/** Lists the names of upstream secrets that the manifest reads from the deployment, each once. */
export function namedSecrets(manifest: Manifest): string[] {
  return [...new Set(upstreamKeys(manifest).flatMap(({ key }) => key?.secret ?? []))];
}

/** Tells whether keys themselves stand in a manifest, which then must not be kept. */
export function holdsKeys(manifest: Manifest): boolean {
  return Object.keys(literalBindings(manifest)).length > 0 || clientKeys(manifest).some(({ reference }) => reference.value !== undefined);
}
