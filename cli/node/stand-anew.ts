/** What a node serves once its engine says something else than before: restarted with another context or codec, upgraded, swapped. Pure. */
import { CommandError } from '../command-error.ts';
import { withDeclared, type Declared } from './declared.ts';
import { describeNode } from './describe.ts';
import type { Detected } from './engines/detect.ts';
import type { EngineModel } from './engines/engine.ts';
import { withoutGaps } from './engines/without-gaps.ts';
import type { Look } from './look-around.ts';
import { predict, speedsOf } from './predict.ts';
import { chooseModels, type ModelWish, type ServedModel } from './served-models.ts';

/** How a node stands: what it serves, and why it can serve nothing now; null where it can. */
export interface Standing {
  look: Look;
  trouble: string | null;
}

/**
 * Reads what an engine says now. Of the models that were served, those that are left stay; where none is, an operator who has named models waits
 * for them, and one who has not serves what there is now. `declared`: what the operator says in place of an engine that does not tell it.
 */
export function standAnew(
  { look: before, trouble }: Standing,
  found: Detected,
  { wishes, declared }: { wishes: readonly ModelWish[]; declared: Declared },
): Standing {
  const left = before.served.flatMap(({ model, facts }) => {
    const now = found.models.find(({ upstreamModel }) => upstreamModel === facts.upstreamModel);
    return now === undefined ? [] : [{ model, facts: withoutGaps(facts, now) }];
  });
  const served = left.length > 0 ? left : chooseInstead(found, wishes);
  if (typeof served === 'string') return { look: before, trouble: served };
  const told = served.map((one) => ({ ...one, facts: withDeclared(one.facts, declared) }));
  const look = lookOf(before, found, told);
  return isSame(look, before) && trouble === null ? { look: before, trouble } : { look, trouble: null };
}

/** Models in the place of those that are gone, or why there are none. */
function chooseInstead({ adapter, models }: Detected, wishes: readonly ModelWish[]): ServedModel[] | string {
  if (wishes.length > 0) return `its ${adapter.title} does not have its model now`;
  try {
    return chooseModels(models, []);
  } catch (error) {
    if (error instanceof CommandError) return `its ${adapter.title} has no model in memory`;
    throw error;
  }
}

function lookOf(before: Look, found: Detected, served: readonly ServedModel[]): Look {
  const isUpgraded = found.version !== before.found.version || found.adapter !== before.found.adapter;
  // A measurement is of the engine and the model as they were.
  const measured = new Map(
    [...before.measured].filter(([name]) => {
      const [then, now] = [factsOf(before, name), served.find(({ facts }) => facts.upstreamModel === name)?.facts];
      return !isUpgraded && JSON.stringify(then) === JSON.stringify(now);
    }),
  );
  const { gpu } = before;
  const predicted = speedsOf(predict(served, found.adapter.name, gpu));
  return { found, gpu, served, measured, description: describeNode({ found, gpu, served, measured, predicted }) };
}

function factsOf({ served }: Look, upstreamModel: string): EngineModel | undefined {
  return served.find(({ facts }) => facts.upstreamModel === upstreamModel)?.facts;
}

function isSame(left: Look, right: Look): boolean {
  return JSON.stringify(left.description) === JSON.stringify(right.description);
}
