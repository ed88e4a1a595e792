/**
 * Random plans under random failures against a plain restatement of H1–H7. `PLANS=1000000 vitest run test/src/routing/hard-rules` makes
 * a million of them.
 */
import { expect, it } from 'vitest';
import type { Offer } from '#schema/catalog';
import type { EndpointHealth } from '#schema/health';
import { plan, type Plan, type PlanInput } from '#src/routing/plan';
import { SEED } from '#test/support/seed';
import { entryOf, inputOf, NOW_MS, viewOf } from './fleet.ts';
import { firstBroken, hasNoRoomNow, provenRank, type Judged } from './naive-rules.ts';
import { createDice, randomFacts, randomHealth, randomOffer, randomPolicy, randomReadings, type Dice } from './random-world.ts';

const PLANS = Number(process.env.PLANS ?? 20_000);
/** New fleets cost more than new plans. */
const PLANS_PER_FLEET = 20;

const hasKey = ({ keySecret }: Offer): boolean => keySecret !== 'MISSING';

/** What is wrong with a plan, in words; nothing when it keeps every rule. */
function faults(input: PlanInput, made: Plan, readings: Readonly<Record<string, EndpointHealth>>): string[] {
  const by = (offer: Offer): Judged => ({ facts: input.facts, policy: input.policy, nowMs: NOW_MS, hasKey: hasKey(offer) });
  const offers = input.entries.flatMap((entry) => entry.offers);
  const broken = new Map(offers.map((offer) => [offer.endpointId, firstBroken(offer, by(offer))]));
  const found: string[] = [];

  for (const { offer, tier } of made.candidates) {
    const rule = broken.get(offer.endpointId);
    if (rule !== null) found.push(`${offer.endpointId} is a candidate against ${rule}`);
    const rank = ['open', 'no_training', 'zero_retention', 'attested', 'blind'].indexOf(tier);
    if (rank !== provenRank(offer, by(offer))) found.push(`${offer.endpointId} is said to prove ${tier}`);
  }
  const told = new Map(made.record().rejections.map(({ endpointId, filter }) => [endpointId, filter]));
  const listed = new Set(made.candidates.map(({ offer }) => offer.endpointId));
  const isOneOnly = !input.policy.allowFallbacks && input.policy.order.length === 0;
  for (const offer of offers) {
    const { endpointId } = offer;
    const rule = broken.get(endpointId);
    if (rule === 'invisible' && told.has(endpointId)) found.push(`${endpointId} is another team's and is told`);
    const reading = readings[endpointId];
    const isRefused = reading?.credentialDisabled === true;
    const isFull = rule === null && !isRefused && hasNoRoomNow(offer, reading, input.facts);
    if (isFull !== (told.get(endpointId) === 'full'))
      found.push(`${endpointId} is ${isFull ? '' : 'not '}full, told ${told.get(endpointId)}`);
    if (isFull && listed.has(endpointId)) found.push(`${endpointId} is full and a candidate`);
    if (rule === null && !isFull && told.has(endpointId))
      found.push(`${endpointId} is rejected by ${told.get(endpointId)} and breaks nothing`);
    if (rule != null && rule !== 'invisible' && told.get(endpointId) !== rule)
      found.push(`${endpointId} breaks ${rule}, told ${told.get(endpointId)}`);
    if (rule === null && !isRefused && !isFull && !isOneOnly && !listed.has(endpointId))
      found.push(`${endpointId} breaks nothing and is missing`);
  }
  return found;
}

function fleetOf(dice: Dice): { entries: PlanInput['entries']; readings: Record<string, EndpointHealth> } {
  const offers = Array.from({ length: 4 + Math.floor(dice.roll() * 24) }, (_, place) => randomOffer(dice, `e${place}`));
  const split = dice.chance(0.2) ? 3 : offers.length;
  const entries = [entryOf(offers.slice(0, split), 'lab/first'), entryOf(offers.slice(split), 'lab/second')];
  return { entries, readings: randomReadings(dice, offers) };
}

it(
  'R1: whatever fails, no plan lists what a hard rule excludes, misses what none does, or blames another rule',
  { timeout: 60_000 + PLANS },
  () => {
    const dice = createDice(SEED);
    let candidates = 0;
    for (let made = 0; made < PLANS;) {
      const { entries, readings } = fleetOf(dice);
      for (let turn = 0; turn < PLANS_PER_FLEET && made < PLANS; turn++, made++) {
        const lastServed = dice.chance(0.5) ? { endpointId: `e${Math.floor(dice.roll() * 24)}`, ageMs: dice.roll() * 4e6 } : null;
        const input = inputOf([], {
          facts: randomFacts(dice),
          policy: randomPolicy(dice),
          entries,
          health: viewOf(readings, lastServed),
          random: dice.roll,
          isCallable: hasKey,
        });
        const result = plan(input);
        const found = faults(input, result, readings);
        if (found.length > 0) expect.fail(`plan ${made}: ${found.join('; ')}`);
        candidates += result.candidates.length;
        // The primary fails in some way, or recovers.
        const primary = result.candidates[0]?.offer.endpointId;
        const after = randomHealth(dice);
        if (primary !== undefined && after !== undefined) readings[primary] = after;
      }
    }
    // A property over empty plans would prove nothing.
    expect(candidates).toBeGreaterThan(PLANS);
  },
);
