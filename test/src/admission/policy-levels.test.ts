import { describe, expect, it } from 'vitest';
import type { Caller } from '#src/admission/admission';
import { policyLevels } from '#src/admission/policy-levels';

const caller = { keyId: 'k1', team: { id: 'research', policy: 'hipaa' }, keyPolicy: null } as Caller;
const USUAL = { request: null, wishes: [], requestedModels: 1 };

describe('the levels of a policy', () => {
  it('are one object for all usual requests of a caller', () => {
    expect(policyLevels(caller, USUAL)).toEqual({ team: 'hipaa', key: null, request: null, requestedModels: 1 });
    expect(policyLevels(caller, USUAL)).toBe(policyLevels(caller, { ...USUAL, wishes: [{}, { policy: 'named' }] }));
    expect(policyLevels({ ...caller, keyPolicy: 'ci' }, USUAL)).toMatchObject({ key: 'ci' });
  });

  it('hold what the request named and wished for, and how many models it asked for', () => {
    const levels = policyLevels(caller, {
      request: 'named',
      wishes: [{ policy: 'named', sort: 'price' }, { zdr: true }],
      requestedModels: 2,
    });
    expect(levels).toEqual({ team: 'hipaa', key: null, request: 'named', wishes: [{ sort: 'price' }, { zdr: true }], requestedModels: 2 });
    expect(policyLevels(caller, USUAL)).not.toHaveProperty('wishes');
  });

  it('hold no options for upstreams, which may say anything', () => {
    const levels = policyLevels(caller, { ...USUAL, wishes: [{ sort: 'price', options: { secret: 'sk-not-ours' } }] });
    expect(JSON.stringify(levels)).not.toContain('sk-not-ours');
  });
});
