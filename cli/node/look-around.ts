/** What a node finds on its machine before it joins: the engine, its models, the card, and how fast they are. */
import type { NodeDescription } from '#schema/node';
import type { NodeSpeed } from '#schema/node-service';
import { toPlainText } from '../plain-text.ts';
import { sayCount } from '../quantities.ts';
import { readDeclared, withDeclared, type Declared } from './declared.ts';
import { describeNode } from './describe.ts';
import type { AskOptions } from './engines/answers.ts';
import { detect, type Detected } from './engines/detect.ts';
import type { EngineModel } from './engines/engine.ts';
import { lookAgain } from './engines/look-again.ts';
import { withoutGaps } from './engines/without-gaps.ts';
import { findGpu, readGpu } from './gpu.ts';
import { checkPrices, type JoinOptions } from './join-options.ts';
import { measureModels } from './measure-models.ts';
import { predict, speedsOf } from './predict.ts';
import { chooseModels, type ServedModel } from './served-models.ts';
import { sayMeasured } from './show-benchmark.ts';
import { sayUntold } from './untold.ts';
import type { Talk } from './show.ts';

/** What was found on this machine. */
export interface Look {
  found: Detected;
  gpu: NodeDescription['gpu'];
  served: readonly ServedModel[];
  /** By the engine's name of the model; one that was not measured has no entry. */
  measured: ReadonlyMap<string, NodeSpeed>;
  description: NodeDescription;
}

/** Finds engine, models and card, and measures. Throws CommandError for an engine that cannot serve, in words with what to do. */
export async function lookAround(options: JoinOptions, engine: AskOptions, { output, step, show }: Talk): Promise<Look> {
  const declared = readDeclared(options);
  const sayLoading = (): void => output.note('the engine is loading its model; waiting for it');
  const found = await step(
    'engine',
    () => detect(engine, sayLoading),
    ({ adapter, version }) => {
      return toPlainText(`${adapter.title}${version === null ? '' : ` ${version}`} at ${engine.url}`);
    },
  );
  const chosen = declare(chooseModels(found.models, options.model ?? []), declared, output);
  checkPrices(options.price, chosen);
  const untold = sayUntold(
    found.adapter,
    chosen.map(({ facts }) => facts),
    options.maxConcurrency !== undefined,
  );
  if (!output.isJson) for (const { model, facts } of chosen) output.say(`  ${sayModel(model, facts)}`);
  if (untold !== null) output.note(untold);
  const gpu = await step(
    'GPU',
    () => (options.gpu === undefined ? findGpu() : readGpu(options.gpu)),
    (card) => (card === null ? 'none found (name it with --gpu)' : `${card.count > 1 ? `${card.count} × ` : ''}${toPlainText(card.name)}`),
  );
  const predicted = predict(chosen, found.adapter.name, gpu);
  const { served: chatting, measured } = await measureModels({ options, engine, models: chosen, predicted }, { output, step, show });
  const served = await askOnceLoaded(chatting, { found, engine });
  if (!output.isJson)
    for (const [place, { model, facts }] of served.entries())
      if (facts !== chatting[place]?.facts) output.say(`  ${sayModel(model, facts)}`);
  const description = describeNode({ found, gpu, served, measured, predicted: speedsOf(predicted) });
  const namesOf = (isMeant: (facts: EngineModel) => boolean): string[] =>
    served
      .map(({ facts }) => facts)
      .filter(isMeant)
      .map(({ upstreamModel }) => upstreamModel);
  show.fact('found', {
    upstream: engine.url,
    kv_cache_declared: namesOf(({ isCodecDeclared }) => isCodecDeclared === true),
    kv_pool_declared: namesOf(({ poolSource }) => poolSource === 'declared'),
    description,
  });
  for (const { model, facts } of served) {
    const speed = measured.get(facts.upstreamModel);
    if (speed === undefined || output.isJson) continue;
    if (served.length > 1) output.say(output.paint('bold', toPlainText(model)));
    output.say(sayMeasured(facts, { measured: speed, predicted: predicted.get(facts.upstreamModel) }, output));
  }
  return { found, gpu, served, measured, description };
}

/** Fills in the operator's word, and says so where the engine knows better. */
function declare(models: readonly ServedModel[], declared: Declared, { note }: Talk['output']): ServedModel[] {
  const { codec, poolTokens } = declared;
  const told = new Set(models.map(({ facts }) => facts.kvCache).filter((kvCache) => kvCache !== 'unknown' && kvCache !== codec));
  if (codec !== null && told.size > 0)
    note(`--kv-cache ${codec} counts only where the engine does not tell: here it says ${[...told].join(', ')}`);
  const served = models.map((one) => ({ ...one, facts: withDeclared(one.facts, declared) }));
  const differing = served.find(({ facts }) => poolTokens !== null && facts.capacity.poolTokens !== poolTokens);
  if (poolTokens !== null && differing !== undefined)
    note(`--kv-pool ${poolTokens} is not what counts: the engine says that ${differing.facts.capacity.poolTokens} tokens fit`);
  return served;
}

/** Engines that load a model when it is asked for say only then how long its context is. */
async function askOnceLoaded(
  served: readonly ServedModel[],
  { found, engine }: { found: Detected; engine: AskOptions },
): Promise<readonly ServedModel[]> {
  if (served.every(({ facts }) => facts.context !== null)) return served;
  const sight = await lookAgain({ adapter: found.adapter, options: engine });
  const models = sight !== null && 'found' in sight ? sight.found.models : [];
  return served.map((one) => {
    const now = models.find(({ upstreamModel }) => upstreamModel === one.facts.upstreamModel);
    const hasMore = now !== undefined && one.facts.context === null && now.context !== null;
    return hasMore ? { ...one, facts: withoutGaps(one.facts, now) } : one;
  });
}

const POOL_WORDS = { least: ' at least', declared: ' (declared)' } as const;

function sayModel(model: string, { upstreamModel, context, kvCache, isCodecDeclared, capacity, poolSource }: EngineModel): string {
  const facts = [
    model === upstreamModel ? '' : `the engine's ${upstreamModel}`,
    context === null ? '' : `context ${sayCount(context)}`,
    kvCache === 'unknown' ? '' : `KV cache ${kvCache}${isCodecDeclared === true ? ' (declared)' : ''}`,
    capacity.poolTokens === null
      ? ''
      : `${sayCount(capacity.poolTokens)} tokens fit${poolSource === undefined ? '' : POOL_WORDS[poolSource]}`,
    capacity.maxSequences === null ? '' : `${sayCount(capacity.maxSequences)} at once`,
  ];
  return toPlainText(`${model}: ${facts.filter((fact) => fact !== '').join(', ') || 'nothing more is known'}`);
}
