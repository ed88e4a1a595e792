/**
 * What probes say: requests as clients make them, each drawn anew from many shapes, data and settings, so that no cache holds the answer and no
 * rule that a node could keep tells them from its other work (R8). Pure.
 */
import type { ChatMessage } from '#schema/chat';
import { draw, drawCount, drawSome } from './draw.ts';
import { AUDIENCES, CITIES, FAULTS, FOLLOW_UPS, FORMATS, GOODS, LANGUAGES, PEOPLE, REPLIES, ROLES, TONES, TOPICS } from './words.ts';

type Random = () => number;

/** A request, but for the model: in the fields that clients use, absent where this one does not say. */
export interface EverydayRequest {
  messages: ChatMessage[];
  max_tokens: number;
  temperature?: number;
  top_p?: number;
}

/** How much may be asked for. */
interface Room {
  maxTokensLeast: number;
  maxTokensMost: number;
}

/** Of ten requests, this many bring a system prompt, an earlier turn, a temperature, a `top_p`. */
const SYSTEM_SHARE = 0.5;
const EARLIER_SHARE = 0.25;
const TEMPERATURE_SHARE = 0.7;
const TOP_P_SHARE = 0.2;
const TEMPERATURES = [0, 0, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.7, 0.8, 0.9, 1] as const;
const TOP_PS = [0.8, 0.9, 0.95, 0.99] as const;
/** Limits that people write, and that programs compute. */
const ROUND_LIMITS = [16, 20, 24, 25, 30, 32, 40, 48, 50, 60, 64, 75, 80, 96, 100, 120, 128, 150, 160] as const;
const ROUND_SHARE = 0.7;

const TASKS: readonly [(random: Random) => string, ...((random: Random) => string)[]] = [
  (random) => `Explain ${draw(TOPICS, random)} to ${draw(AUDIENCES, random)}, ${draw(FORMATS, random)}.`,
  (random) => {
    const [first, second] = drawSome(TOPICS, 2, random);
    return `What do ${first} and ${second} have in common, and where do they differ? Answer ${draw(FORMATS, random)}.`;
  },
  (random) => `Write a ${draw(TONES, random)} reply to this message:\n\n${complaint(random)}`,
  (random) => `Translate into ${draw(LANGUAGES, random)}, without comment: "${complaint(random)}"`,
  (random) => `Summarise ${draw(FORMATS, random)}:\n\n${minutes(random)}`,
  (random) => `Which of these orders is the largest, and what do all of them cost together?\n\n${orders(random)}`,
  (random) => `Is the following message a complaint, a question or praise? Say why ${draw(FORMATS, random)}.\n\n${complaint(random)}`,
  (random) => `Suggest a title for a ${draw(TONES, random)} article about ${draw(TOPICS, random)}, and its first sentences.`,
  (random) =>
    `I have ${drawCount(20, 90, random)} minutes in ${draw(CITIES, random)} on the way to ${draw(CITIES, random)}. What would you do? Answer ${draw(FORMATS, random)}.`,
  (random) => `Rewrite this so that it sounds ${draw(TONES, random)}: ${minutes(random)}`,
  (random) =>
    `Write a function in ${draw(['Python', 'TypeScript', 'Go', 'SQL', 'Rust'], random)} that finds every ${draw(GOODS, random)} that costs more than ${drawCount(5, 400, random)}, and say how it works.`,
  (random) =>
    `${draw(PEOPLE, random)} has to give a short talk about ${draw(TOPICS, random)} in ${draw(CITIES, random)}. What should the first few sentences be, for ${draw(AUDIENCES, random)}?`,
];

/** Draws a request that asks for at least and at most so many tokens. */
export function everydayRequest(random: Random, { maxTokensLeast, maxTokensMost }: Room): EverydayRequest {
  const messages: ChatMessage[] = [];
  if (random() < SYSTEM_SHARE) messages.push({ role: 'system', content: draw(ROLES, random) });
  messages.push({ role: 'user', content: draw(TASKS, random)(random) });
  if (random() < EARLIER_SHARE) {
    messages.push({ role: 'assistant', content: draw(REPLIES, random) }, { role: 'user', content: draw(FOLLOW_UPS, random) });
  }
  return {
    messages,
    max_tokens: drawLimit(maxTokensLeast, maxTokensMost, random),
    ...(random() < TEMPERATURE_SHARE && { temperature: draw(TEMPERATURES, random) }),
    ...(random() < TOP_P_SHARE && { top_p: draw(TOP_PS, random) }),
  };
}

/** Draws a text of a few sentences, such as is embedded. */
export function everydayText(random: Random): string {
  return random() < 0.5 ? complaint(random) : minutes(random);
}

/** Draws an output limit within bounds: mostly one of the round ones. */
export function drawLimit(least: number, most: number, random: Random): number {
  const round = ROUND_LIMITS.filter((limit) => limit >= least && limit <= most);
  const [first, ...rest] = round;
  return first !== undefined && random() < ROUND_SHARE ? draw([first, ...rest], random) : drawCount(least, most, random);
}

/** Counts the characters of a conversation. */
export function charactersOf(messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, { content }) => sum + (typeof content === 'string' ? content.length : 0), 0);
}

function complaint(random: Random): string {
  const days = drawCount(2, 25, random);
  return `Hello, this is ${draw(PEOPLE, random)} from ${draw(CITIES, random)}. ${days} days ago I ordered a ${draw(GOODS, random)} (no. ${drawCount(10_000, 99_999, random)}), and it ${draw(FAULTS, random)}. What happens now?`;
}

function minutes(random: Random): string {
  const people = drawSome(PEOPLE, 3, random);
  return people
    .map(
      (person) =>
        `${person} spoke about ${draw(TOPICS, random)} and wants to see figures from ${draw(CITIES, random)} by the ${drawCount(2, 28, random)}th.`,
    )
    .join(' ');
}

function orders(random: Random): string {
  return drawSome(GOODS, drawCount(3, 6, random), random)
    .map((good) => `- ${drawCount(1, 12, random)} × ${good} at ${drawCount(4, 180, random)}.${draw(['00', '50', '90', '95'], random)}`)
    .join('\n');
}
