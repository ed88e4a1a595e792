/** What probes say: everyday questions, as any client might ask, each different, so that no cache and no script knows the answer (R8). */

const QUESTIONS = [
  (topic: string, other: string) =>
    `I have been asked to give a short talk about ${topic}. What should the first few sentences be, and how would I get from there to ${other}?`,
  (topic: string, other: string) => `Explain ${topic} to somebody who knows a lot about ${other} but has never come across it.`,
  (topic: string, other: string) =>
    `My sister has taken up ${topic} and would like to compare it with ${other}. What do the two have in common, and where do they differ?`,
  (topic: string, other: string) => `Write the opening paragraph of a magazine article in which ${topic} meets ${other}.`,
] as const;

const TOPICS = [
  'bookbinding',
  'tidal mills',
  'seed saving',
  'letterpress printing',
  'mountain rescue',
  'radio astronomy',
  'sourdough rye bread',
  'dry stone walls',
  'bird ringing',
  'harbour pilots',
  'medieval music',
  'ice skating',
  'map reading',
  'bicycle touring',
  'organ building',
  'crossword puzzles',
] as const;

/** Writes a question of about fifty tokens. `random` is uniform in [0, 1). */
export function everydayQuestion(random: () => number): string {
  const place = Math.floor(random() * TOPICS.length);
  const step = 1 + Math.floor(random() * (TOPICS.length - 1));
  const question = QUESTIONS[Math.floor(random() * QUESTIONS.length)] ?? QUESTIONS[0];
  return question(TOPICS[place] ?? TOPICS[0], TOPICS[(place + step) % TOPICS.length] ?? TOPICS[1]);
}
