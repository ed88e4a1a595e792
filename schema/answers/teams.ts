/** Teams as their managers see them. Money in USD. */
import { z } from 'zod';
import { BUDGET_PERIODS } from '#schema/budget-period';
import { statedLimits } from './limits.ts';

const usd = z.number().nonnegative();

const team = z.strictObject({
  id: z.string(),
  policy: z.string().nullable(),
  budget: z
    .strictObject({
      usd,
      per: z.enum(BUDGET_PERIODS),
      spent_usd: usd.describe('Since the period began'),
      held_usd: usd.nullable().describe('Held by requests under way, or kept ready for them; null where `source` is `journal`'),
      remaining_usd: usd.describe('Neither spent nor held'),
      resets_at: z.iso.datetime().nullable().describe('When the next period begins; null where none does'),
    })
    .nullable(),
  limits: statedLimits,
  credits: z
    .strictObject({
      total_usd: usd.describe('Everything ever paid ahead'),
      used_usd: usd.describe('Charged since the first payment'),
      remaining_usd: usd,
    })
    .nullable()
    .describe('Null for a team that never paid ahead'),
  keys: z.int().nonnegative().describe('Inference keys that are not disabled'),
  source: z.enum(['account', 'journal']).describe('`account`: what is spent and held now. `journal`: as the database knew it seconds ago'),
  as_of: z.iso.datetime(),
});

/** The answer of `GET /teams/{id}`. */
export const teamData = z.strictObject({ data: team }).meta({ id: 'TeamData' });
/** The answer of `GET /teams`. */
export const teamList = z.strictObject({ data: z.array(team) }).meta({ id: 'TeamList' });

/** The answer of `POST /credits`. */
export const addedCredit = z
  .strictObject({
    data: z.strictObject({
      id: z.string(),
      team: z.string(),
      amount_usd: usd,
      added: z.boolean().describe('False where this id had been added before'),
      credits: team.shape.credits,
    }),
  })
  .meta({ id: 'AddedCredit' });
