/** Answers of the deployment's management: manifests, policies and the audit trail. */
import { z } from 'zod';
import { change } from '../change.ts';
import { policyDocument } from '../policy.ts';

export const appliedManifest = z
  .object({
    data: z.object({
      applied: z.boolean().describe('False for a dry run'),
      version: z.int().nullable().describe('Version of the manifest once applied'),
      plan: z.string().describe('Digest that names this difference; to be sent back as `expect`'),
      changes: z.array(change),
      warnings: z.array(z.string()),
      missing_keys: z.array(z.string()).describe('Keys whose value nobody knows; those that exist keep the one they have'),
    }),
  })
  .meta({ id: 'AppliedManifest' });
export type AppliedManifest = z.infer<typeof appliedManifest>['data'];

export const currentManifest = z
  .object({
    data: z
      .object({
        version: z.int(),
        digest: z.string().describe('SHA-256 of the text, hex'),
        text: z.string().nullable().describe('Null where it held keys themselves'),
        applied_at: z.iso.datetime(),
        actor: z.string().describe('Id of the key that applied it, or `npm start`'),
      })
      .nullable(),
  })
  .meta({ id: 'CurrentManifest' });

const storedPolicy = z.object({
  name: z.string(),
  version: z.int(),
  document: policyDocument
    .extend({ inherited: z.array(policyDocument).optional() })
    .describe('As it was written; `inherited` is what it extends, eldest first'),
  updated_at: z.iso.datetime(),
});

export const policyList = z
  .object({
    data: z.array(storedPolicy),
    default: z.string().nullable().describe('Name of the policy that holds for everybody; null where none does'),
  })
  .meta({ id: 'PolicyList' });

export const policyData = z.object({ data: storedPolicy }).meta({ id: 'PolicyData' });

export const auditTrail = z
  .object({
    data: z.array(
      z.object({
        id: z.string(),
        at: z.iso.datetime(),
        actor: z.string().describe('Id of the key that asked, or `npm start`'),
        action: z.string().describe('Such as `manifest.apply`, `key.create`, `credits.add`'),
        object: z.string().describe('What was changed: `manifest`, or a kind and an id such as `team:research`'),
        from_version: z.string().nullable(),
        to_version: z.string().nullable(),
        changes: z.record(z.string(), z.object({ from: z.unknown(), to: z.unknown() })),
      }),
    ),
    next_cursor: z.string().nullable().describe('For the query of the next page; null on the last'),
  })
  .meta({ id: 'AuditTrail' });
