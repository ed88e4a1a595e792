import { describe, expect, it } from 'vitest';
import { buildSnapshot } from '#src/catalog/build-snapshot';
import type { RegistrationRow } from '#src/catalog/rows';
import { reportOf } from '#test/src/nodes/probe/reports';
import { catalogRows, endpointRow, NOW_MS } from './rows.ts';

function registration(row: Partial<RegistrationRow> = {}): RegistrationRow {
  return { endpointId: 'rig', state: 'probation', trafficShare: 0.01, seen: null, expected: null, capacity: null, ...row };
}

const RIG = { id: 'rig', source: 'registered', supply: 'selfhosted', context: 32_768, kvCache: 'fp8', capabilities: ['tools', 'seed'] };

function offerOf(row: Partial<RegistrationRow> | null, endpoint: Partial<typeof RIG> = {}) {
  const rows = catalogRows({ endpoints: [endpointRow({ ...RIG, ...endpoint })], registrations: row === null ? [] : [registration(row)] });
  const { snapshot } = buildSnapshot(rows, { nowMs: NOW_MS, version: 'v', allowedHosts: [] });
  return [...snapshot.models.values()].flatMap(({ offers }) => offers)[0];
}

describe('registered endpoints in a snapshot', () => {
  it('are left out where their registration does not serve', () => {
    expect(offerOf(null)).toBeUndefined();
    expect(offerOf({})).toBeDefined();
  });

  it('carry their share of the traffic, but for those that may have all of it', () => {
    expect(offerOf({ trafficShare: 0.05 })?.trafficShare).toBe(0.05);
    expect(offerOf({ state: 'active', trafficShare: 1 })).not.toHaveProperty('trafficShare');
  });

  it('are on probation until they are not; subnet supply stays what it is', () => {
    expect(offerOf({})?.verification).toBe('probation');
    expect(offerOf({ state: 'active' })?.verification).toBe('verified');
    expect(offerOf({}, { supply: 'subnet', verification: 'unverified' } as Partial<typeof RIG>)?.verification).toBe('unverified');
  });

  it('are what was seen where that contradicts what they declare', () => {
    const { seen } = reportOf({
      seen: { context: 4_096, kv_cache: 'turboquant_3bit_nc', quantization: 'int4', capabilities: { tools: false, seed: true } },
    });
    const offer = offerOf({ seen });
    expect(offer).toMatchObject({ context: 4_096, kvCache: 'turboquant_3bit_nc', quantization: 'int4' });
    expect([...(offer?.capabilities ?? [])]).toEqual(['seed']);
  });

  it('gain nothing by showing more than they declare', () => {
    const { seen } = reportOf({ seen: { context: 1_000_000, capabilities: { json_schema: true } } });
    const offer = offerOf({ seen });
    expect(offer?.context).toBe(32_768);
    expect([...(offer?.capabilities ?? [])]).toEqual(['tools', 'seed']);
  });

  it('tell what to expect of them and what they hold', () => {
    const expected = { ttftMs: 200, tpotMs: 10, source: 'probe' } as const;
    const capacity = { poolTokens: 9_000, maxSequences: null };
    expect(offerOf({ expected, capacity })).toMatchObject({ expected, capacity });
    expect(offerOf({})).not.toHaveProperty('expected');
  });
});
