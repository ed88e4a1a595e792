/** What a canary says: a short everyday question, as any client might ask, so that nobody can tell it from traffic (R8). */
import type { ChatRequest } from '#schema/chat';

const QUESTIONS = [
  (topic: string) => `What should I know about ${topic} before I start?`,
  (topic: string) => `Give me one good reason to learn about ${topic}.`,
  (topic: string) => `Can you explain ${topic} to a ten-year-old?`,
  (topic: string) => `What is the most common mistake people make with ${topic}?`,
  (topic: string) => `Write a short title for an article about ${topic}.`,
  (topic: string) => `Is ${topic} hard to get into?`,
  (topic: string) => `Name one surprising fact about ${topic}.`,
  (topic: string) => `How would you describe ${topic} in a single sentence?`,
] as const;

const TOPICS = [
  'sourdough bread',
  'bicycle repair',
  'watercolour painting',
  'compound interest',
  'night photography',
  'regular expressions',
  'container gardening',
  'chess openings',
  'tidal power',
  'unit testing',
  'urban beekeeping',
  'the French horn',
  'spreadsheet formulas',
  'wool dyeing',
  'trail running',
  'glass blowing',
  'sleep hygiene',
  'map projections',
  'cheese making',
  'public speaking',
  'solar eclipses',
  'database indexes',
  'fly fishing',
  'Roman aqueducts',
] as const;

/** Writes a question that is asked for one token of answer. `random` is uniform in [0, 1). */
export function canaryRequest(model: string, random: () => number): ChatRequest & { messages: [{ role: 'user'; content: string }] } {
  const content = pick(QUESTIONS, random)(pick(TOPICS, random));
  return { model, messages: [{ role: 'user', content }], stream: true, max_completion_tokens: 1 };
}

function pick<Item>(items: readonly [Item, ...Item[]], random: () => number): Item {
  return items[Math.floor(random() * items.length)] ?? items[0];
}
