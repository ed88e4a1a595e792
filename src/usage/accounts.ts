/** The teams' Account objects, as this room asks them. */
import type { AccountStanding, Accounts, Captured, Credit, TopUpOutcome } from './standing.ts';

/** What is called of an Account object. */
export interface AccountObject {
  status(): Promise<Pick<AccountStanding, 'reservedNanoUsd' | 'credits' | 'keys'> & { capturedNanoUsd: Captured }>;
  topUp(payment: Omit<Credit, 'teamId'>): Promise<TopUpOutcome>;
}

/** Asks each team's object anew: Workers tie a stub to the request that made it. */
export function accountsOf(account: (teamId: string) => AccountObject): Accounts {
  return {
    async standing(teamId) {
      const { capturedNanoUsd, reservedNanoUsd, credits, keys } = await account(teamId).status();
      return { captured: capturedNanoUsd, reservedNanoUsd, credits, keys };
    },
    topUp: ({ teamId, ...payment }) => account(teamId).topUp(payment),
  };
}
