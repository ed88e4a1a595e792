/** llama.cpp in this process: one model, one context, one sequence a slot. Knows nothing of HTTP. */
import { setTimeout as pause } from 'node:timers/promises';
import type { CacheType } from './cache-type.ts';
import { loadLlamaLibrary, loadTemplateLibrary, type LlamaModel, type LlamaSequence, type Token } from './library.ts';

/**
 * One thread. llama.cpp's threads spin while they wait for each other: on a machine with fewer free cores than threads a token takes
 * hundreds of times as long, and a tiny model gains nothing from a second one.
 */
const THREADS = 1;
const LOG_MS_MAX = 1_000;

export interface EngineOptions {
  modelFile: string;
  slots: number;
  /** Tokens of one slot. */
  context: number;
  cacheTypeK: CacheType;
  cacheTypeV: CacheType;
}

export interface Message {
  role: string;
  content: string;
}

export interface Sampling {
  /** 0 takes the likeliest token. */
  temperature: number;
  /** 0 allows all. */
  topK: number;
  topP: number;
  minP: number;
  seed: number;
}

/** A token as it was generated. */
export interface Generated {
  token: Token;
  /** Natural logarithm of its probability before temperature. */
  logprob: number;
  /** The likeliest tokens, likeliest first; as many as were asked for. */
  top: { token: Token; logprob: number }[];
}

export interface ModelFacts {
  vocabulary: number;
  trainContext: number;
  embedding: number;
  parameters: number;
  sizeBytes: number;
  chatTemplate: string | null;
  /** Release of llama.cpp. */
  release: string;
  /** What a text begins with for this model: its begin-of-text token, or nothing. Templates write it themselves. */
  begin: string;
  /** Whether keys are rotated before they are quantized, as llama.cpp says itself; null where it says nothing. */
  rotated: boolean | null;
}

export interface Engine {
  facts: ModelFacts;
  tokenize(text: string): Token[];
  /** Gives the text of tokens that follow `before`; ends with U+FFFD while a character is incomplete. */
  detokenize(tokens: readonly Token[], before: readonly Token[]): string;
  /** Writes a conversation as the model was taught to read it. `null` where the model has no template. Throws what the template throws. */
  renderChat(messages: readonly Message[]): string | null;
  /** Reads a prompt in a slot and generates until the model ends. Leave the loop to stop; the slot is empty afterwards. */
  generate(slot: number, prompt: readonly Token[], sampling: Sampling, topLogprobs: number | null): AsyncGenerator<Generated>;
  stop(): Promise<void>;
}

/** Loads a model. Rejects where the file is none, or where the cache cannot have these types. */
export async function loadEngine(options: EngineOptions): Promise<Engine> {
  const [{ getLlama }, { Template }] = await Promise.all([loadLlamaLibrary(), loadTemplateLibrary()]);
  const { promise: rotation, resolve: tellRotation } = Promise.withResolvers<boolean>();
  const llama = await getLlama({
    gpu: process.platform === 'darwin' && process.arch === 'arm64' ? 'metal' : false,
    build: 'never',
    maxThreads: THREADS,
    logLevel: 'info',
    logger(_level, message) {
      const told = /attn_rot_k = ([01])/.exec(message)?.[1];
      if (told !== undefined) tellRotation(told === '1');
    },
  });
  const model = await llama.loadModel({ modelPath: options.modelFile });
  const context = await model.createContext({
    contextSize: options.context,
    sequences: options.slots,
    threads: THREADS,
    flashAttention: true,
    experimentalKvCacheKeyType: options.cacheTypeK.toUpperCase(),
    experimentalKvCacheValueType: options.cacheTypeV.toUpperCase(),
  });
  // What llama.cpp logs comes a moment later.
  const rotationTold = Promise.race([rotation, pause(LOG_MS_MAX, null, { ref: false })]);
  const sequences = Array.from({ length: options.slots }, () => context.getSequence());
  const begin = model.tokens.shouldPrependBosToken ? (model.tokens.bosString ?? '') : '';
  const chatTemplate = model.fileInfo.metadata.tokenizer?.chat_template ?? null;
  const template = chatTemplate === null ? null : new Template(chatTemplate);

  return {
    facts: { ...factsOf(model), chatTemplate, begin, release: llama.llamaCppRelease.release, rotated: await rotationTold },
    tokenize: (text) => model.tokenize(text, true),
    detokenize: (tokens, before) => model.detokenize(tokens, false, before),
    renderChat: (messages) =>
      template?.render({
        messages,
        add_generation_prompt: true,
        bos_token: model.tokens.bosString ?? '',
        eos_token: model.tokens.eosString ?? '',
      }) ?? null,
    generate: (slot, prompt, sampling, topLogprobs) => generate(sequences[slot], prompt, sampling, topLogprobs),
    stop: () => llama.dispose(),
  };
}

async function* generate(
  sequence: LlamaSequence | undefined,
  prompt: readonly Token[],
  sampling: Sampling,
  topLogprobs: number | null,
): AsyncGenerator<Generated> {
  if (sequence === undefined) throw new RangeError('there is no such slot');
  try {
    const steps = sequence.evaluateWithMetadata(prompt, { confidence: true, probabilities: topLogprobs !== null }, sampling);
    for await (const { token, confidence, probabilities } of steps) {
      yield probabilities === undefined
        ? { token, logprob: Math.log(confidence), top: [] }
        : { token, ...beforeTemperature(token, probabilities, sampling.temperature, topLogprobs ?? 0) };
    }
  } finally {
    await sequence.clearHistory();
  }
}

/** Undoes the temperature: llama.cpp gives softmax(logits / T) as single floats, OpenAI's API and llama-server give softmax(logits), and p^T is proportional to it. */
function beforeTemperature(
  token: Token,
  probabilities: ReadonlyMap<Token, number>,
  temperature: number,
  topLogprobs: number,
): Pick<Generated, 'logprob' | 'top'> {
  // Greedy probabilities are those before temperature already.
  const power = temperature === 0 ? 1 : temperature;
  let sum = 0;
  for (const probability of probabilities.values()) sum += probability ** power;
  const logprobOf = (probability: number): number => Math.log(Math.max(probability ** power, Number.MIN_VALUE) / sum);
  return {
    logprob: logprobOf(probabilities.get(token) ?? 0),
    top: [...probabilities]
      .slice(0, topLogprobs)
      .map(([candidate, probability]) => ({ token: candidate, logprob: logprobOf(probability) })),
  };
}

function factsOf(model: LlamaModel): Pick<ModelFacts, 'vocabulary' | 'trainContext' | 'embedding' | 'parameters' | 'sizeBytes'> {
  const tensors = model.fileInfo.fullTensorInfo ?? [];
  return {
    vocabulary: model.fileInfo.metadata.tokenizer?.ggml?.tokens?.length ?? 0,
    trainContext: model.trainContextSize,
    embedding: model.embeddingVectorSize,
    parameters: tensors.reduce((sum, { dimensions }) => sum + dimensions.reduce<number>((size, length) => size * Number(length), 1), 0),
    sizeBytes: model.size,
  };
}
