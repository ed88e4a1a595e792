/** Every provider that this house knows, by id, and the two ways to talk to them. Data and code only: importing does nothing. */
import { card as zeroG } from './subnet/0g.ts';
import { card as zeroGDirect } from './subnet/0g-direct.ts';
import { card as akashml } from './subnet/akashml.ts';
import { card as ambient } from './subnet/ambient.ts';
import { card as chutes } from './subnet/chutes.ts';
import { card as heurist } from './subnet/heurist.ts';
import { card as hyperbolic } from './subnet/hyperbolic.ts';
import { card as ioNet } from './subnet/io-net.ts';
import { card as morpheus } from './subnet/morpheus.ts';
import { card as nearAi } from './subnet/near-ai.ts';
import { card as nous } from './subnet/nous.ts';
import { card as phala } from './subnet/phala.ts';
import { card as primeIntellect } from './subnet/prime-intellect.ts';
import { card as venice } from './subnet/venice.ts';
import { card as llamaCpp } from './selfhosted/llama-cpp.ts';
import { card as ollama } from './selfhosted/ollama.ts';
import { card as runpod } from './selfhosted/runpod.ts';
import { card as selfhosted } from './selfhosted/selfhosted.ts';
import { card as sglang } from './selfhosted/sglang.ts';
import { card as vast } from './selfhosted/vast.ts';
import { card as vllm } from './selfhosted/vllm.ts';
import { card as anthropic } from './centralized/anthropic.ts';
import { card as baseten } from './centralized/baseten.ts';
import { card as cerebras } from './centralized/cerebras.ts';
import { card as cloudflareWorkersAi } from './centralized/cloudflare-workers-ai.ts';
import { card as coreweave } from './centralized/coreweave.ts';
import { card as crusoe } from './centralized/crusoe.ts';
import { card as deepinfra } from './centralized/deepinfra.ts';
import { card as deepseek } from './centralized/deepseek.ts';
import { card as fireworks } from './centralized/fireworks.ts';
import { card as friendli } from './centralized/friendli.ts';
import { card as gmicloud } from './centralized/gmicloud.ts';
import { card as google } from './centralized/google.ts';
import { card as groq } from './centralized/groq.ts';
import { card as inferenceNet } from './centralized/inference-net.ts';
import { card as lambda } from './centralized/lambda.ts';
import { card as minimax } from './centralized/minimax.ts';
import { card as mistral } from './centralized/mistral.ts';
import { card as moonshot } from './centralized/moonshot.ts';
import { card as nebius } from './centralized/nebius.ts';
import { card as novita } from './centralized/novita.ts';
import { card as openai } from './centralized/openai.ts';
import { card as openrouter } from './centralized/openrouter.ts';
import { card as ovhcloud } from './centralized/ovhcloud.ts';
import { card as parasail } from './centralized/parasail.ts';
import { card as privatemode } from './centralized/privatemode.ts';
import { card as sambanova } from './centralized/sambanova.ts';
import { card as scaleway } from './centralized/scaleway.ts';
import { card as siliconflow } from './centralized/siliconflow.ts';
import { card as tinfoil } from './centralized/tinfoil.ts';
import { card as together } from './centralized/together.ts';
import { card as xai } from './centralized/xai.ts';
import { card as zai } from './centralized/zai.ts';
import type { Dialect, ProviderCard, Quirks } from './provider.ts';
import type { WireId } from '#schema/catalog';
import { anthropicMessages } from './wire/anthropic-messages.ts';
import { openAiChat } from './wire/openai-chat.ts';
import { openAiCompletions } from './wire/openai-completions.ts';

const CARDS: readonly ProviderCard[] = [
  zeroG,
  zeroGDirect,
  akashml,
  ambient,
  chutes,
  heurist,
  hyperbolic,
  ioNet,
  morpheus,
  nearAi,
  nous,
  phala,
  primeIntellect,
  venice,
  llamaCpp,
  ollama,
  runpod,
  selfhosted,
  sglang,
  vast,
  vllm,
  anthropic,
  baseten,
  cerebras,
  cloudflareWorkersAi,
  coreweave,
  crusoe,
  deepinfra,
  deepseek,
  fireworks,
  friendli,
  gmicloud,
  google,
  groq,
  inferenceNet,
  lambda,
  minimax,
  mistral,
  moonshot,
  nebius,
  novita,
  openai,
  openrouter,
  ovhcloud,
  parasail,
  privatemode,
  sambanova,
  scaleway,
  siliconflow,
  tinfoil,
  together,
  xai,
  zai,
];

/** All cards by id. Cards are checked against their schema by a test, not here. */
export const providers: ReadonlyMap<string, ProviderCard> = new Map(CARDS.map((card) => [card.id, card]));

const DIALECTS: Record<WireId, Dialect> = {
  'openai-chat': openAiChat,
  'openai-completions': openAiCompletions,
  'anthropic-messages': anthropicMessages,
};

/** Finds a provider's card; undefined for providers that a manifest made up. */
export function findProvider(id: string): ProviderCard | undefined {
  return providers.get(id);
}

/** Gives the code for a wire format. */
export function dialectOf(id: WireId): Dialect {
  return DIALECTS[id];
}

/**
 * Gives the quirks of an endpoint: its provider's, or for custom endpoints its engine's (`vllm`, `sglang`, `llama.cpp`, `ollama`),
 * or those that hold for any self-hosted engine.
 */
export function quirksOf(providerId: string, engine: string | null = null): Quirks {
  const provider = providers.get(providerId);
  if (provider !== undefined && provider.id !== selfhosted.id) return provider.quirks;
  const engineCard = engine === null ? undefined : providers.get(engine.toLowerCase().replace(/[._ ]/g, '-'));
  return engineCard?.supply === 'selfhosted' ? engineCard.quirks : selfhosted.quirks;
}
