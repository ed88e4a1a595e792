/** What a node says of itself: engine, GPU, models, with what it has measured and what is expected of it. */
import { CAPABILITIES, type Capability } from '#schema/catalog';
import type { EngineName, NodeDescription, NodeModel } from '#schema/node';
import type { NodeSpeed } from '#schema/node-service';
import { readVersion } from '../version.ts';
import type { Detected } from './engines/detect.ts';
import type { EngineModel } from './engines/engine.ts';
import type { ServedModel } from './served-models.ts';

/** What the engines' own documentation promises; probes take away what an endpoint does not keep. */
const PROMISED: Readonly<Record<EngineName, readonly Capability[]>> = {
  vllm: ['completion', 'tools', 'json_object', 'json_schema', 'logprobs', 'seed', 'continuation', 'n'],
  sglang: ['completion', 'tools', 'json_object', 'json_schema', 'logprobs', 'seed', 'continuation', 'n'],
  'llama-cpp': ['completion', 'tools', 'json_object', 'json_schema', 'logprobs', 'seed', 'continuation'],
  ollama: ['completion', 'tools', 'json_object', 'json_schema', 'logprobs', 'seed'],
  tgi: ['tools', 'logprobs', 'seed'],
  lmdeploy: ['completion', 'tools', 'logprobs', 'seed'],
  tabbyapi: ['completion', 'tools', 'json_schema', 'logprobs'],
  openai: [],
};

/** Models whose name says that they chat about pictures, where the engine does not say it. */
const SEES = /(-vl|vision|llava|pixtral|gemma-?3-(4|12|27)b)/i;

export interface Findings {
  found: Detected;
  gpu: NodeDescription['gpu'];
  served: readonly ServedModel[];
  /** By the engine's name of the model. */
  measured: ReadonlyMap<string, NodeSpeed>;
  predicted: ReadonlyMap<string, NodeSpeed>;
}

/** Builds the description that goes to the router. */
export function describeNode({ found, gpu, served, measured, predicted }: Findings): NodeDescription {
  const { name } = found.adapter;
  return {
    agentVersion: readVersion(),
    engine: { name, version: found.version },
    gpu,
    models: served.map(({ facts }): NodeModel => {
      const { upstreamModel, context, quantization, kvCache, capacity } = facts;
      return {
        upstreamModel,
        context,
        quantization,
        kvCache,
        capabilities: capabilitiesOf(name, facts),
        capacity,
        measured: measured.get(upstreamModel) ?? null,
        predicted: predicted.get(upstreamModel) ?? null,
      };
    }),
  };
}

function capabilitiesOf(engine: EngineName, { upstreamModel, can = {} }: EngineModel): Capability[] {
  const promised = new Set([...PROMISED[engine], ...(SEES.test(upstreamModel) ? (['vision'] as const) : [])]);
  return CAPABILITIES.filter((name) => can[name] ?? promised.has(name));
}
