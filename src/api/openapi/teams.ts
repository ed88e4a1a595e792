/** What teams may spend, have spent and pay ahead. */
import { addCredit as addCreditBody } from '#schema/credit';
import { generation } from '#schema/answers/generation';
import { addedCredit, teamData, teamList } from '#schema/answers/teams';
import { usageSums } from '#schema/answers/usage-sums';
import { teamsQuery } from '../teams.ts';
import { usageQuery } from '../usage.ts';
import type { Description } from './description.ts';

const account = { tag: 'Account', key: 'management' } as const;

export const listTeams: Description = {
  ...account,
  id: 'listTeams',
  summary: 'List teams',
  text: 'By id, a hundred at a time, with their budgets, credits and limits, and what is spent and held now.',
  query: teamsQuery,
  answer: teamList,
};

export const getTeam: Description = {
  ...account,
  id: 'getTeam',
  summary: 'Describe a team',
  text: 'With what is spent and held now; where the ledger does not answer at once, with what the database knew seconds ago.',
  answer: teamData,
};

export const addCredit: Description = {
  ...account,
  id: 'addCredit',
  summary: 'Pay ahead for a team',
  text: 'The first payment makes a team prepaid: from then on it spends no more than it has paid, beside its other budgets. The same `id` adds once, however often it is sent; with another amount it is a 409. For keys that manage the whole deployment.',
  body: addCreditBody,
  example: { team: 'research', amount_usd: 250, id: 'invoice-2027-014', note: 'first quarter' },
  answer: addedCredit,
  creates: true,
};

export const getUsage: Description = {
  ...account,
  id: 'getUsage',
  summary: 'Usage by model, key, endpoint, provider, team or day',
  text: 'Of 92 days at most, 7 where nothing is said: the dearest first, days the newest first. Beyond 2,000 rows the others share one.',
  query: usageQuery,
  example: { by: 'team', since: '2027-01-01', until: '2027-02-01' },
  answer: usageSums,
};

export const getReceipt: Description = {
  id: 'getReceipt',
  tag: 'Routing',
  summary: 'Fetch a receipt by its id',
  text: 'The record of `GET /generation`, for keys of the team that asked and for its managers.',
  key: 'any',
  answer: generation,
};
