/** What a node finds on its machine before it joins: the engine, its models, the card, and how fast they are. */
import type { NodeDescription, NodeSpeed } from '#schema/node';
import { CommandError } from '../command-error.ts';
import { toPlainText } from '../plain-text.ts';
import { sayCount } from '../quantities.ts';
import { measureEngine } from './benchmark/benchmark.ts';
import { describeNode } from './describe.ts';
import type { AskOptions } from './engines/answers.ts';
import { detect, type Detected } from './engines/detect.ts';
import { findGpu, readGpu } from './gpu.ts';
import type { JoinOptions } from './join-options.ts';
import { predict, type Predictions } from './predict.ts';
import { chooseModels, type ServedModel } from './served-models.ts';
import { sayMeasured } from './show-benchmark.ts';
import type { Talk } from './show.ts';

/** What was found on this machine. */
export interface Look {
  found: Detected;
  served: readonly ServedModel[];
  description: NodeDescription;
}

/** Finds engine, models and card, and measures. Throws CommandError for an engine that cannot serve, in words with what to do. */
export async function lookAround(options: JoinOptions, engine: AskOptions, { output, step, show }: Talk): Promise<Look> {
  const sayLoading = (): void => output.note('the engine is loading its model; waiting for it');
  const found = await step(
    'engine',
    () => detect(engine, sayLoading),
    ({ adapter, version }) => {
      return toPlainText(`${adapter.title}${version === null ? '' : ` ${version}`} at ${engine.url}`);
    },
  );
  const served = chooseModels(found.models, options.model ?? []);
  if (!output.isJson) for (const { model, facts } of served) output.say(`  ${sayModel(model, facts)}`);
  const gpu = await step(
    'GPU',
    () => (options.gpu === undefined ? findGpu() : readGpu(options.gpu)),
    (card) => (card === null ? 'none found (name it with --gpu)' : `${card.count > 1 ? `${card.count} × ` : ''}${toPlainText(card.name)}`),
  );
  const predicted = predict(served, found.adapter.name, gpu);
  const measured = await measure({ options, engine, served }, { output, step, show });
  const findings = { found, gpu, served, measured, predicted: speedsOf(predicted) };
  const description = describeNode(findings);
  show.fact('found', { upstream: engine.url, description });
  for (const model of served) {
    const speed = measured.get(model.facts.upstreamModel);
    if (speed !== undefined && !output.isJson)
      output.say(sayMeasured(model.facts, { measured: speed, predicted: predicted.get(model.facts.upstreamModel) }, output));
  }
  return { found, served, description };
}

function speedsOf(predictions: Predictions): Map<string, NodeSpeed> {
  return new Map([...predictions].map(([name, { speed }]) => [name, speed]));
}

function sayModel(model: string, { upstreamModel, context, kvCache, capacity }: ServedModel['facts']): string {
  const facts = [
    model === upstreamModel ? '' : `the engine's ${upstreamModel}`,
    context === null ? '' : `context ${sayCount(context)}`,
    kvCache === 'unknown' ? '' : `KV cache ${kvCache}`,
    capacity.poolTokens === null ? '' : `${sayCount(capacity.poolTokens)} tokens fit`,
    capacity.maxSequences === null ? '' : `${sayCount(capacity.maxSequences)} at once`,
  ];
  return toPlainText(`${model}: ${facts.filter((fact) => fact !== '').join(', ') || 'nothing more is known'}`);
}

interface Measuring {
  options: JoinOptions;
  engine: AskOptions;
  served: readonly ServedModel[];
}

/** Measures the first model: the others share engine and card with it. Throws CommandError for an engine that refuses chats. */
async function measure({ options, engine, served }: Measuring, { step, show }: Talk): Promise<Map<string, NodeSpeed>> {
  const speeds = new Map<string, NodeSpeed>();
  const { benchmark: length } = options;
  const [first] = served;
  if (length === 'none' || first === undefined) return speeds;
  const { upstreamModel, context, capacity } = first.facts;
  const maxSequences = options.maxConcurrency ?? capacity.maxSequences;
  const now = (): number => performance.now();
  const result = await step(
    'benchmark',
    () => measureEngine({ ...engine, model: upstreamModel, length, maxSequences, context, random: Math.random, now }),
    (measured) => ('speed' in measured ? '' : `not possible: ${toPlainText(measured.failure.reason)}`),
  );
  if ('failure' in result && isRefusal(result.failure.status)) {
    const { status, reason } = result.failure;
    throw new CommandError(
      `the engine refuses chats (${status}): ${toPlainText(reason)}; fix that first, or skip the check with --benchmark none`,
    );
  }
  if ('speed' in result) speeds.set(upstreamModel, result.speed);
  show.fact('benchmark', { model: upstreamModel, ...result });
  return speeds;
}

/** A refusal will not heal by itself; a full or late engine may. */
function isRefusal(status: number | null): boolean {
  return status !== null && status >= 400 && status < 500 && status !== 429;
}
