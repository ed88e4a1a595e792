/** What the id of a quota tells: whose it is. */

/** The team's money, which every request of the team takes from. */
export const TEAM_MONEY = 'team/nano_usd';

const KEY_MONEY = /^key:(.+)\/nano_usd$/;

/** Finds the key whose own money a quota counts; null where it is the team's, or counts something else. */
export function keyOfMoney(quotaId: string): string | null {
  return KEY_MONEY.exec(quotaId)?.[1] ?? null;
}

/** Tells whose quota it is. */
export function ownerOf(quotaId: string): 'team' | 'key' {
  return quotaId.startsWith('key:') ? 'key' : 'team';
}
