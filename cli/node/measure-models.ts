/** Measures the models of an engine, one after the other: they share its card. */
import type { NodeSpeed } from '#schema/node-service';
import { CommandError } from '../command-error.ts';
import { toPlainText } from '../plain-text.ts';
import { measureEngine, type Benchmark, type BenchmarkLength } from './benchmark/benchmark.ts';
import { warmUp } from './benchmark/warm-up.ts';
import type { AskOptions } from './engines/answers.ts';
import type { JoinOptions } from './join-options.ts';
import type { Predictions } from './predict.ts';
import type { ServedModel } from './served-models.ts';
import type { Talk } from './show.ts';

/** No further model is begun after this long: whoever has fifty is not kept waiting for all of them. */
const BUDGET_MS: Readonly<Record<Exclude<BenchmarkLength, 'none'>, number>> = { short: 20_000, full: 180_000 };

/** What is measured, and how long. */
export interface Measuring {
  options: Pick<JoinOptions, 'benchmark' | 'maxConcurrency'>;
  engine: AskOptions;
  models: readonly ServedModel[];
  predicted: Predictions;
}

/** Models that chat, and the speed of those that were measured, by the engine's name. */
export interface MeasuredModels {
  served: readonly ServedModel[];
  measured: ReadonlyMap<string, NodeSpeed>;
}

/** Measures until the time is up. Models that refuse chats are left out; throws CommandError where all of them do. */
export async function measureModels(
  { options, engine, models, predicted }: Measuring,
  { output, step, show }: Talk,
): Promise<MeasuredModels> {
  const measured = new Map<string, NodeSpeed>();
  const { benchmark: length } = options;
  if (length === 'none') return { served: models, measured };
  const refusals = new Map<string, string>();
  const endsAtMs = performance.now() + BUDGET_MS[length];
  const late: string[] = [];
  const sequences = new Map<string, number | null>();
  for (const { model, facts } of soonestFirst(models, predicted)) {
    const { upstreamModel, context, capacity } = facts;
    if (performance.now() > endsAtMs) {
      late.push(model);
      continue;
    }
    const maxSequences = options.maxConcurrency ?? capacity.maxSequences;
    const result = await step(
      models.length === 1 ? 'benchmark' : `benchmark of ${toPlainText(model)}`,
      async () => {
        await warmUp({ ...engine, model: upstreamModel });
        return measureEngine({
          ...engine,
          model: upstreamModel,
          length,
          maxSequences,
          context,
          random: Math.random,
          now: () => performance.now(),
        });
      },
      (found) => ('speed' in found ? '' : `not possible: ${toPlainText(found.failure.reason)}`),
    );
    if ('speed' in result) {
      measured.set(upstreamModel, result.speed);
      sequences.set(upstreamModel, result.sequences);
    } else if (isRefusal(result)) refusals.set(upstreamModel, `(${result.failure.status}): ${toPlainText(result.failure.reason)}`);
    show.fact('benchmark', { model: upstreamModel, ...result });
  }
  const [[refused, why] = []] = refusals;
  if (refusals.size === models.length && refused !== undefined)
    throw new CommandError(`the engine refuses chats ${why}; fix that first, or skip the check with --benchmark none`);
  for (const [name, words] of refusals) output.note(`${toPlainText(name)} is left out: the engine refuses chats with it ${words}`);
  if (late.length > 0) output.note(`not measured, for want of time: ${toPlainText(late.join(', '))} (--benchmark full takes more)`);
  const served = models.filter(({ facts }) => !refusals.has(facts.upstreamModel));
  return { served: served.map((one) => withSequences(one, sequences.get(one.facts.upstreamModel) ?? null)), measured };
}

/** What an engine says counts; what was seen stands in for what it does not say. */
function withSequences({ model, facts }: ServedModel, seen: number | null): ServedModel {
  const { poolTokens, maxSequences } = facts.capacity;
  return { model, facts: { ...facts, capacity: { poolTokens, maxSequences: maxSequences ?? seen } } };
}

/** Models in memory first, then the fast ones: as many as possible within the time. */
function soonestFirst(models: readonly ServedModel[], predicted: Predictions): ServedModel[] {
  const paceOf = ({ facts }: ServedModel) => predicted.get(facts.upstreamModel)?.speed.tpotMs ?? Infinity;
  const placeOf = (one: ServedModel) => [one.facts.isLoaded ? 0 : 1, paceOf(one)] as const;
  return models.toSorted((left, right) => {
    const [[leftMemory, leftPace], [rightMemory, rightPace]] = [placeOf(left), placeOf(right)];
    return leftMemory - rightMemory || (leftPace === rightPace ? 0 : leftPace - rightPace);
  });
}

/** A refusal will not heal by itself; a full or late engine may. */
function isRefusal(result: Extract<Benchmark, { failure: unknown }>): boolean {
  const { status } = result.failure;
  return status !== null && status >= 400 && status < 500 && status !== 429;
}
