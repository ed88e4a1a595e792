import { describe, expect, it } from 'vitest';
import { reachOf } from '#src/api/caller';

const all = { teamId: null, actor: 'key-1' };
const research = { teamId: 'research', actor: 'key-2' };

describe('the reach of a manager', () => {
  it('is every team, or the one that the query names by either word', () => {
    expect(reachOf(all)).toEqual({ teamId: null });
    expect(reachOf(all, 'web')).toEqual({ teamId: 'web' });
    expect(reachOf(all, undefined, 'web')).toEqual({ teamId: 'web' });
    expect(reachOf(all, 'web', 'web')).toEqual({ teamId: 'web' });
  });

  it('K9: is never more than their own team, whatever the query names', () => {
    expect(reachOf(research)).toEqual({ teamId: 'research' });
    expect(reachOf(research, 'research')).toEqual({ teamId: 'research' });
    expect(reachOf(research, 'web')).toBeNull();
    expect(reachOf(research, undefined, 'web')).toBeNull();
    expect(reachOf(research, 'research', 'web')).toBeNull();
  });

  it('is nothing where two words name different teams', () => {
    expect(reachOf(all, 'web', 'research')).toBeNull();
    expect(reachOf(all, '', 'research')).toBeNull();
  });
});
