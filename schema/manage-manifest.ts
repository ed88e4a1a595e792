/** What the holder of a management key sends to apply a manifest. */
import { z } from 'zod';

/** A client's key as the deployment keeps it; whoever applies a manifest sends those that the router's own secrets do not hold. */
const sentKey = z.strictObject({
  /** Null for a management key. */
  team: z.string().min(1).max(64).nullable(),
  name: z.string().min(1).max(64),
  hash: z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in lower-case hex'),
  label: z
    .string()
    .max(40)
    .regex(/^sk-hr-[\x21-\x7e]*$/, 'expected the first and last characters of a key, such as sk-hr-abc...xyz'),
});
export type SentKey = z.infer<typeof sentKey>;

/** The body of `PUT /manifest`. */
export const applyManifest = z
  .strictObject({
    manifest: z.string().min(1).describe('The manifest, as YAML.'),
    client_keys: z.array(sentKey).max(20_000).optional().describe('Hashes of client keys that the router’s own secrets do not hold.'),
    dry_run: z.boolean().optional().describe('True: say what would change, and change nothing.'),
    expect: z.string().max(64).optional().describe('Digest of the plan that a dry run has shown: another plan is refused with 409.'),
    prune: z
      .boolean()
      .optional()
      .describe('Delete keys that the manifest no longer names instead of disabling them, and teams that have left no trace.'),
  })
  .meta({ id: 'ApplyManifest' });
export type ApplyManifest = z.infer<typeof applyManifest>;
