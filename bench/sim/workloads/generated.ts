/**
 * Traffic made from published statistics, for runs without trace files. Length quantiles and burstiness: Azure's LLM traces of 2023 (one hour each),
 * Mooncake's chat trace (FAST'25), ServeGen's client mixes (2025). Lengths are lognormal, times between requests gamma.
 */
import { createRandom, hashText, type Random } from '#devnet/random';
import type { Arrival } from './arrival.ts';
import { generateChats } from './chats.ts';
import { generateClients } from './clients.ts';
import { drawGamma, drawLength, type LengthShape } from './draws.ts';

const AZURE_PROMPT: LengthShape = { p50: 1_020, p99: 4_142, max: 8_000 };
const AZURE_ANSWER: LengthShape = { p50: 129, p99: 601, max: 1_500 };
const CODE_PROMPT: LengthShape = { p50: 1_469, p99: 7_436, max: 8_000 };
const CODE_ANSWER: LengthShape = { p50: 13, p99: 251, max: 1_500 };

/** One kind of traffic. `rate`: mean requests per second unless told otherwise, so that all kinds load the fleet about alike. */
export interface Workload {
  description: string;
  rate: number;
  generate(random: Random, order: { count: number; rate: number }): Arrival[];
}

/** The kinds of traffic by name; `azure-conv` is the usual one. */
export const WORKLOADS = {
  'azure-conv': {
    description: 'chat, prompts 1,020/4,142 tokens (p50/p99), answers 129/601, CV 1.09',
    rate: 8,
    generate: renewal(1.09, AZURE_PROMPT, AZURE_ANSWER),
  },
  'azure-code': {
    description: 'code completion, prompts 1,469/7,436, answers 13/251, CV 13',
    rate: 8,
    generate: renewal(13, CODE_PROMPT, CODE_ANSWER),
  },
  'mooncake-chat': {
    description: 'conversations with growing prompts, 6,909/85,400, answers 350/1,119, shared prefixes',
    rate: 2.5,
    generate: generateChats,
  },
  'bursty-clients': {
    description: 'sixty clients, ten of them most of the traffic, each with bursts and lengths of its own',
    rate: 7,
    generate: generateClients,
  },
  'gamma-1': { description: 'as azure-conv, CV 1', rate: 8, generate: renewal(1, AZURE_PROMPT, AZURE_ANSWER) },
  'gamma-4': { description: 'as azure-conv, CV 4', rate: 8, generate: renewal(4, AZURE_PROMPT, AZURE_ANSWER) },
  'gamma-10': { description: 'as azure-conv, CV 10', rate: 8, generate: renewal(10, AZURE_PROMPT, AZURE_ANSWER) },
} as const satisfies Record<string, Workload>;

export type WorkloadName = keyof typeof WORKLOADS;
export const WORKLOAD_NAMES = Object.keys(WORKLOADS) as WorkloadName[];

/** Generates so many requests of one kind, sorted by time; the same seed gives the same traffic. `speed` multiplies the usual rate. */
export function generateWorkload(name: WorkloadName, order: { seed: number; count: number; speed: number }): Arrival[] {
  const { rate, generate }: Workload = WORKLOADS[name];
  const random = createRandom(hashText(`${name} ${order.seed}`));
  return generate(random, { count: order.count, rate: rate * order.speed });
}

/** Requests that come one after another, the times between them gamma with this coefficient of variation. */
function renewal(variation: number, prompt: LengthShape, answer: LengthShape): Workload['generate'] {
  const shape = 1 / variation ** 2;
  return (random, { count, rate }) => {
    let atMs = 0;
    return Array.from({ length: count }, () => {
      atMs += drawGamma(random, shape, 1_000 / rate);
      return { atMs, promptTokens: drawLength(random, prompt), completionTokens: drawLength(random, answer) };
    });
  };
}
