/** Describes a model that no catalogue has by what its endpoints offer. */
import { operationsOf, type Capability, type Operation } from '#schema/catalog';
import type { DeploymentRows } from './deployment-rows.ts';

type ModelRow = DeploymentRows['models'][number];

/** What each operation reads and gives, in OpenRouter's words. */
const MODALITIES: Record<Operation, { input: string; output: string }> = {
  chat: { input: 'text', output: 'text' },
  completion: { input: 'text', output: 'text' },
  embeddings: { input: 'text', output: 'embeddings' },
  rerank: { input: 'text', output: 'rerank' },
  images: { input: 'text', output: 'image' },
  speech: { input: 'text', output: 'speech' },
  transcription: { input: 'audio', output: 'transcription' },
};

const INPUT_OF: Partial<Record<Capability, string>> = { vision: 'image', audio: 'audio', video: 'video', file: 'file' };

/** Adds one endpoint to the description: its modalities, and its context where it is longer. `context` in tokens, null when not stated. */
export function describeModel(
  described: ModelRow | undefined,
  endpoint: { modelId: string; context: number | null; capabilities: readonly Capability[] },
): ModelRow {
  const operations = [...operationsOf(endpoint.capabilities)].map((operation) => MODALITIES[operation]);
  const inputs = [...operations.map(({ input }) => input), ...endpoint.capabilities.flatMap((capability) => INPUT_OF[capability] ?? [])];
  const context = Math.max(described?.context ?? 0, endpoint.context ?? 0);
  return {
    id: endpoint.modelId,
    name: endpoint.modelId,
    createdAtS: 0,
    context: context === 0 ? null : context,
    inputModalities: [...new Set([...(described?.inputModalities ?? []), ...inputs])],
    outputModalities: [...new Set([...(described?.outputModalities ?? []), ...operations.map(({ output }) => output)])],
    source: 'manifest',
  };
}
