/** `npm start -- --real-node`: a llama.cpp with a tiny model beside the simulated supply, in a process of its own. */
import { isMap, isSeq, parseDocument } from 'yaml';
import { installEngine, isEngineInstalled } from '#engine/llama/install';
import { spawnEngine, type RunningEngine } from '#engine/llama/spawn';
import { CommandError } from '../command-error.ts';
import type { Step } from '../progress.ts';

/** What callers name. */
export const REAL_MODEL = 'headrace/tiny-llama';
const ENDPOINT_ID = 'real-tiny-llama';
const ALIAS = 'tiny-llama';
const SLOTS = 4;
const CONTEXT = 4096;
const CACHE_TYPE = 'q8_0';
const FLAGS = ['--alias', ALIAS, '--slots', SLOTS, '--ctx', CONTEXT, '--cache-type-k', CACHE_TYPE, '--cache-type-v', CACHE_TYPE].map(
  String,
);

/** Installs the engine where it is missing, and starts it. Rejects with CommandError where that is not possible here. */
export async function startRealNode(step: Step, say: (line: string) => void): Promise<RunningEngine> {
  if (!isEngineInstalled()) {
    say('… installing llama.cpp, once (85 MB)');
    await step('llama.cpp', async () => {
      const obstacle = await installEngine();
      if (obstacle !== null) throw new CommandError(`the real node cannot run here: ${obstacle}`);
    });
  }
  try {
    return await step(
      'real node',
      () => spawnEngine(FLAGS),
      ({ url }) => `${url}, ${ALIAS} on llama.cpp, ${CACHE_TYPE} KV cache`,
    );
  } catch (error) {
    throw new CommandError(`the real node does not start: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Adds the real node to a manifest; one of its name is replaced. A text that is no manifest stays as it is: the check that follows says why. */
export function addRealNode(manifestText: string, url: string): string {
  const document = parseDocument(manifestText);
  const endpoints = document.get('endpoints') ?? [];
  if (document.errors.length > 0 || !isMap(document.contents) || !(isSeq(endpoints) || Array.isArray(endpoints))) return manifestText;
  const others = isSeq(endpoints) ? endpoints.items.filter((item) => !isMap(item) || item.get('id') !== ENDPOINT_ID) : [];
  document.set('endpoints', document.createNode([...others, realEndpoint(url)]));
  return document.toString();
}

function realEndpoint(url: string): object {
  return {
    id: ENDPOINT_ID,
    provider: 'selfhosted',
    model: REAL_MODEL,
    upstream_model: ALIAS,
    url: `${url}/v1`,
    engine: 'llama-cpp',
    weights: 'fp16',
    kv_cache: CACHE_TYPE,
    context: CONTEXT,
    max_concurrency: SLOTS,
    price: { prompt: 0.001, completion: 0.002 },
    capabilities: ['logprobs', 'seed', 'continuation'],
    data_policy: { trains: false, retention_days: 0, source: 'operator' },
  };
}
