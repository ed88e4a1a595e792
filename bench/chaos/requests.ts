/** What the clients of a run ask, and when. Pure: the same seed gives the same load. */
import { createRandom, type Random } from '#devnet/random';
import { TEAMS } from './teams.ts';

/** The client APIs that the load is made of. */
export type ClientApi = 'chat' | 'messages' | 'responses';

/** One request of the load. */
export interface ChaosRequest {
  index: number;
  /** When it is sent, in milliseconds from the start of the run. */
  atMs: number;
  teamId: string;
  key: string;
  api: ClientApi;
  model: string;
  prompt: string;
  streaming: boolean;
  /** Null lets the answer end by itself. */
  maxTokens: number | null;
  stop: string | null;
  /** Asks for a JSON list of so many items instead of prose; null does not. */
  jsonItems: number | null;
  /** The client leaves after so many pieces of text; null stays. */
  leavesAfter: number | null;
}

/** The models that are asked for, with their shares. */
const MODEL_SHARES = [
  { model: 'qwen/qwen3-8b', share: 0.75 },
  { model: 'qwen/qwen3-32b', share: 0.25 },
] as const;
export const MODELS: readonly string[] = MODEL_SHARES.map(({ model }) => model);

/** Words of one to four bytes a letter: a break may come inside any of them. */
const TOPICS = ['watermills', 'Überläufe', 'rivières', 'мельница', '水車小屋の水路', '𝒲𝒶𝓉𝑒𝓇𝓌𝒽𝑒𝑒𝓁', 'sluices', 'weirs'] as const;
/** Three words of a sentence that every dozen has once: it may well straddle a break. */
const STOP = 'the flour falls';

const MESSAGES_SHARE = 0.08;
const RESPONSES_SHARE = 0.08;
const WHOLE_SHARE = 0.15;
const LIMITED_SHARE = 0.2;
const JSON_SHARE = 0.06;
const STOP_SHARE = 0.15;
const LEAVING_SHARE = 0.08;

/** Draws the load of a run: arrivals at random with `rate` per second, as many kinds of request as the shares say. */
export function drawRequests({ durationMs, rate, seed }: { durationMs: number; rate: number; seed: number }): ChaosRequest[] {
  const random = createRandom(seed ^ 0x10ad);
  const requests: ChaosRequest[] = [];
  for (let atMs = drawGapMs(rate, random); atMs < durationMs; atMs += drawGapMs(rate, random)) {
    requests.push(drawRequest(requests.length, atMs, random));
  }
  return requests;
}

function drawGapMs(rate: number, random: Random): number {
  return (-Math.log(1 - random()) * 1000) / rate;
}

function drawRequest(index: number, atMs: number, random: Random): ChaosRequest {
  // Every draw is made whatever the others say, so that one share can be changed without changing all that follows.
  const [who, which, kind, whole, limit, stops, leaves, length, json] = Array.from({ length: 9 }, random) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const team = pickByShare(TEAMS, who);
  const api: ClientApi = kind < MESSAGES_SHARE ? 'messages' : kind < MESSAGES_SHARE + RESPONSES_SHARE ? 'responses' : 'chat';
  const streaming = whole >= WHOLE_SHARE;
  const isJson = api === 'chat' && json < JSON_SHARE;
  const sentences = 15 + Math.floor(length * 26);
  return {
    index,
    atMs,
    teamId: team.id,
    key: pick(team.keys),
    api,
    model: pickByShare(MODEL_SHARES, which).model,
    prompt: `Question ${index}: write ${sentences} sentences about ${pick(TOPICS)} and ${pick(TOPICS)}`,
    streaming,
    maxTokens: limit < LIMITED_SHARE && !isJson ? 120 + Math.floor((limit / LIMITED_SHARE) * 200) : team.maxTokens,
    stop: stops < STOP_SHARE && api !== 'responses' && !isJson ? STOP : null,
    jsonItems: isJson ? 24 + Math.floor((json / JSON_SHARE) * 40) : null,
    leavesAfter: streaming && leaves < LEAVING_SHARE ? 5 + Math.floor((leaves / LEAVING_SHARE) * 120) : null,
  };
}

function pickByShare<Item extends { share: number }>(items: readonly Item[], draw: number): Item {
  let sum = 0;
  return items.find(({ share }) => draw < (sum += share)) ?? (items.at(-1) as Item);
}
