import { describe, expect, it } from 'vitest';
import type { ReceiptFeedItem } from '#schema/answers/receipts-feed';
import { operationsOf, type Offer } from '#schema/catalog';
import { GatewayError } from '#schema/error';
import { toGround } from '#cli/replay/ground';
import { toOutcome } from '#cli/replay/outcome';
import { createResolver } from '#cli/replay/scenario';
import { SEED } from '#test/support/seed';
import { entryOf } from '../../src/routing/fleet.ts';
import { createDice, randomFacts, randomOffer, randomReadings, type Dice } from '../../src/routing/random-world.ts';
import { feedOf, randomPreferences, randomRestrictions, record, scenarioOf, type Documents, type World } from './world.ts';

const WORLDS = 300;
const REQUESTS = 30;

function randomWorld(dice: Dice): World {
  const size = 1 + Math.floor(dice.roll() * 16);
  const offers = Array.from({ length: size }, (_, place) => declared(randomOffer(dice, `e${place}`)));
  const documents = Object.fromEntries(
    ['base', 'team', 'key', 'named'].map((name) => [name, { ...randomRestrictions(dice), ...randomPreferences(dice) }]),
  );
  const half = Math.ceil(size * 0.7);
  return { entries: [entryOf(offers.slice(0, half), 'lab/first'), entryOf(offers.slice(half), 'lab/second')], documents };
}

/** An offer whose operations follow from what it declares, as in every snapshot. */
function declared(offer: Offer): Offer {
  const capabilities = new Set([...offer.capabilities, ...offer.operations]);
  return { ...offer, capabilities, operations: operationsOf(capabilities) };
}

function randomRequests(dice: Dice, world: World): ReceiptFeedItem[] {
  const items: ReceiptFeedItem[] = [];
  for (let turn = 0; turn < REQUESTS; turn++) {
    const readings = randomReadings(
      dice,
      world.entries.flatMap(({ offers }) => offers),
    );
    try {
      items.push(
        record(world, {
          facts: randomFacts(dice),
          readings,
          random: dice.roll,
          levels: {
            team: dice.pick([null, 'team']),
            key: dice.pick([null, null, 'key']),
            request: dice.pick([null, null, null, 'named']),
            requestedModels: dice.pick([1, 1, 2]),
            ...(dice.chance(0.2) && { wishes: [{ ...randomRestrictions(dice), sort: 'price' }] }),
          },
        }),
      );
    } catch (failure) {
      // Admission refuses contradictions, and writes no receipt.
      if (!(failure instanceof GatewayError)) throw failure;
    }
  }
  return items;
}

/** Every stored policy with one more level of restrictions outside it. To accept claims, or to name an endpoint of a service tier, would loosen. */
function tighten(dice: Dice, documents: Documents): Documents {
  return Object.fromEntries(
    Object.entries(documents).map(([name, document]) => {
      const { only, privacy, ...restrictions } = randomRestrictions(dice);
      const tighter = {
        ...restrictions,
        ...(only && { only: ['alpha', dice.pick(['beta', 'gamma'])] }),
        ...(privacy && { privacy: { ...privacy, accept_operator_claims: false } }),
      };
      return [name, { ...document, inherited: [tighter] }];
    }),
  );
}

describe('a replay', () => {
  it('of unchanged policies changes nothing, over random fleets, facts, policies and levels', () => {
    const dice = createDice(SEED);
    let replayed = 0;
    for (let turn = 0; turn < WORLDS; turn++) {
      const world = randomWorld(dice);
      const setting = { ground: toGround(feedOf(world.entries)), resolve: createResolver(scenarioOf(world.documents)), isDetailed: false };
      for (const item of randomRequests(dice, world)) {
        const { result } = toOutcome(item, setting);
        if (typeof result === 'string') throw new Error(`turn ${turn}: ${result}`);
        expect(result.after, `turn ${turn}`).toEqual(result.before);
        expect(result).toMatchObject({ isFaithful: true, isSameCatalogue: true });
        expect(result.doubts).not.toContain('unmeasured');
        replayed++;
      }
    }
    // Three plans for each: the one that was recorded, and two of the replay.
    expect(replayed * 3).toBeGreaterThan(20_000);
  });

  it('of tighter policies serves nothing newly, and nothing that the policy of before excludes', () => {
    const dice = createDice(SEED + 1);
    let refused = 0;
    let served = 0;
    for (let turn = 0; turn < WORLDS; turn++) {
      const world = randomWorld(dice);
      const scenario = scenarioOf(tighten(dice, world.documents));
      const setting = { ground: toGround(feedOf(world.entries)), resolve: createResolver(scenario), isDetailed: false };
      for (const item of randomRequests(dice, world)) {
        const { result } = toOutcome(item, setting);
        if (typeof result === 'string') throw new Error(`turn ${turn}: ${result}`);
        if (result.before === null) expect(result.after, `turn ${turn}`).toBeNull();
        expect(result.doubts).not.toContain('unmeasured');
        if (result.after === null) refused++;
        else served++;
      }
    }
    expect(refused).toBeGreaterThan(500);
    expect(served).toBeGreaterThan(500);
  });
});
