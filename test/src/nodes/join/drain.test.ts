import { expect, it } from 'vitest';
import { createNodes } from '#src/nodes/join/nodes';
import type { SupplyPorts } from '#src/nodes/supply-ports';
import { NOW_MS } from '#test/support/fake-clock';
import { openSupply, type Supply } from '../staged-supply.ts';

const MANAGER = { actor: 'key-1', operatorId: 'op', teamId: null };

function nodesOf(db: D1Database) {
  const link = { status: async () => null, drain: async () => null };
  const ports = { db, now: () => NOW_MS, newId: () => crypto.randomUUID(), log: () => undefined, node: () => link };
  return createNodes({ ...ports, renewCatalogue: async () => undefined } as unknown as SupplyPorts);
}

/** A database in which a probe takes hold of every endpoint just before the first batch that changes one. */
function withProbeBetween(supply: Supply): D1Database {
  let isFirst = true;
  return new Proxy(supply.db, {
    get(db, name) {
      const member: unknown = Reflect.get(db, name);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => {
        if (name === 'prepare' && isFirst && String(given[0]).startsWith('update "registrations"')) {
          isFirst = false;
          supply.exec('update registrations set updated_at_ms = updated_at_ms + 1');
        }
        return (member as (...values: unknown[]) => unknown).apply(db, given);
      };
    },
  });
}

it('draining a node takes all its endpoints out of traffic, also one that is being probed', async () => {
  const supply = openSupply();
  supply.operator('op');
  supply.node('rig');
  supply.endpoint('rig:a', { nodeId: 'rig', state: 'active', provenAtMs: 1 });
  supply.endpoint('rig:b', { nodeId: 'rig', state: 'probation', provenAtMs: 1 });
  const nodes = nodesOf(withProbeBetween(supply));

  await nodes.drain(MANAGER, 'rig', true);
  expect([await supply.stateOf('rig:a'), await supply.stateOf('rig:b')]).toEqual(['draining', 'draining']);
  expect(supply.historyOf('rig:a')).toEqual(['draining']);

  await nodes.drain(MANAGER, 'rig', false);
  expect([await supply.stateOf('rig:a'), await supply.stateOf('rig:b')]).toEqual(['probing', 'probing']);
});
