/** What a node finds on its machine before it joins: the engine, its models, the card, and how fast they are. */
import type { NodeDescription, NodeSpeed } from '#schema/node';
import type { KvCodec } from '#schema/catalog';
import { toPlainText } from '../plain-text.ts';
import { sayCount } from '../quantities.ts';
import { readDeclaredCodec, withDeclaredCodec } from './declared-codec.ts';
import { describeNode } from './describe.ts';
import type { AskOptions } from './engines/answers.ts';
import { detect, type Detected } from './engines/detect.ts';
import { lookAgain } from './engines/look-again.ts';
import { findGpu, readGpu } from './gpu.ts';
import { checkPrices, type JoinOptions } from './join-options.ts';
import { measureModels } from './measure-models.ts';
import { predict, speedsOf } from './predict.ts';
import { chooseModels, type ServedModel } from './served-models.ts';
import { sayMeasured } from './show-benchmark.ts';
import { withoutGaps } from './stand-anew.ts';
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
  const declared = readDeclaredCodec(options.kvCache);
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
  if (!output.isJson) for (const { model, facts } of chosen) output.say(`  ${sayModel(model, facts)}`);
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
  const declaredOf = served.filter(({ facts }) => facts.isCodecDeclared === true).map(({ facts }) => facts.upstreamModel);
  show.fact('found', { upstream: engine.url, kv_cache_declared: declaredOf, description });
  for (const { model, facts } of served) {
    const speed = measured.get(facts.upstreamModel);
    if (speed === undefined || output.isJson) continue;
    if (served.length > 1) output.say(output.paint('bold', toPlainText(model)));
    output.say(sayMeasured(facts, { measured: speed, predicted: predicted.get(facts.upstreamModel) }, output));
  }
  return { found, gpu, served, measured, description };
}

/** Fills in the operator's codec, and says so where the engine knows better. */
function declare(models: readonly ServedModel[], declared: KvCodec | null, { note }: Talk['output']): ServedModel[] {
  const told = new Set(models.map(({ facts }) => facts.kvCache).filter((codec) => codec !== 'unknown' && codec !== declared));
  if (declared !== null && told.size > 0)
    note(`--kv-cache ${declared} counts only where the engine does not tell: here it says ${[...told].join(', ')}`);
  return models.map((one) => ({ ...one, facts: withDeclaredCodec(one.facts, declared) }));
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

function sayModel(model: string, { upstreamModel, context, kvCache, isCodecDeclared, capacity }: ServedModel['facts']): string {
  const facts = [
    model === upstreamModel ? '' : `the engine's ${upstreamModel}`,
    context === null ? '' : `context ${sayCount(context)}`,
    kvCache === 'unknown' ? '' : `KV cache ${kvCache}${isCodecDeclared === true ? ' (declared)' : ''}`,
    capacity.poolTokens === null ? '' : `${sayCount(capacity.poolTokens)} tokens fit`,
    capacity.maxSequences === null ? '' : `${sayCount(capacity.maxSequences)} at once`,
  ];
  return toPlainText(`${model}: ${facts.filter((fact) => fact !== '').join(', ') || 'nothing more is known'}`);
}
