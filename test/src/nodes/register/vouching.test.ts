import { describe, expect, it } from 'vitest';
import type { UpdateEndpoint } from '#schema/registration';
import { UNVOUCHED, vouchedFor, vouchingAfter } from '#src/nodes/register/vouching';
import type { SupplyManager } from '#src/nodes/supply-manager';

const NOW_MS = 2_000;
const MANAGER: SupplyManager = { actor: 'key-admin', operatorId: null, teamId: null };
const OPERATOR: SupplyManager = { actor: 'key-op', operatorId: 'op', teamId: null };
const WORD = { vouchedBy: 'key-before', vouchedAtMs: 1_000 };

const after = (manager: SupplyManager, wish: UpdateEndpoint, over: { isMoved?: boolean; letsIn?: boolean } = {}) =>
  vouchingAfter(WORD, { manager, wish, isMoved: false, letsIn: false, nowMs: NOW_MS, ...over });

describe('a manager’s word', () => {
  it('says who gave it, and when', () => {
    expect(after(MANAGER, { vouched: true })).toEqual({ vouchedBy: 'key-admin', vouchedAtMs: NOW_MS });
    expect(after(MANAGER, {}, { letsIn: true })).toEqual(vouchedFor(MANAGER, NOW_MS));
  });

  it('stands through what changes neither model nor place', () => {
    expect(after(OPERATOR, { price: { prompt: 1, completion: 2 } })).toEqual(WORD);
    expect(after(OPERATOR, { state: 'draining' })).toEqual(WORD);
    expect(after(MANAGER, { state: 'quarantined' })).toEqual(WORD);
  });

  it('V: ends where the operator makes another endpoint of it, or a manager takes it back', () => {
    expect(after(OPERATOR, { model: 'other' })).toEqual(UNVOUCHED);
    expect(after(OPERATOR, { upstream_model: 'other' })).toEqual(UNVOUCHED);
    expect(after(OPERATOR, {}, { isMoved: true })).toEqual(UNVOUCHED);
    expect(after(MANAGER, { vouched: false })).toEqual(UNVOUCHED);
  });

  it('is no operator’s to give', () => {
    expect(() => after(OPERATOR, { vouched: true })).toThrow('Vouching is for managers');
  });
});
