/** What applying a manifest changes, field by field, in the manifest's own words. Never a key, its hash or its label. */
import { z } from 'zod';

export const change = z
  .object({
    object: z.string().describe('Section of the manifest, or `models`, `prices`, `claims` of the catalogue'),
    id: z.string().describe('Name within the section; `team/name` for keys'),
    action: z.enum(['add', 'change', 'remove', 'disable']),
    fields: z
      .record(z.string(), z.object({ from: z.unknown(), to: z.unknown() }))
      .describe(
        'Old and new value by field path, such as `budget.usd`; null where there was or is none. Left out for rows of the published catalogue that come or go',
      ),
  })
  .meta({ id: 'Change' });
export type Change = z.infer<typeof change>;
