/** Plain English about whatever was asked: the same question and seed give the same sentences, at every endpoint. */
import { createRandom, hashText } from './random.ts';

const SENTENCES = [
  'Water is a good way to think about {topic}.',
  'It helps to begin with {topic} and to take small steps.',
  'Most people look at {topic} first and at the details later.',
  'A wheel turns when enough water reaches it, and the same can be said of {topic}.',
  'When one spring runs dry, another one can feed the same channel.',
  'The cheapest path is often good enough, but not always the fastest one.',
  'Nobody has measured this, because no model has read your question.',
  'If you care about {topic}, ask a real model.',
  'Every word here follows from your prompt and a seed.',
  'A short answer about {topic} would mention the weather.',
  'The miller waits, the stone turns, and the flour falls.',
  'Good channels have gates, and good gates can be closed.',
] as const;
const SENTENCES_MIN = 4;
const SENTENCES_SPREAD = 6;

const FILLERS = new Set([
  'about',
  'could',
  'does',
  'from',
  'have',
  'please',
  'tell',
  'that',
  'this',
  'what',
  'when',
  'where',
  'which',
  'with',
  'would',
  'write',
  'your',
]);

/** Picks the words that an answer speaks about: the longest of the question, or `this` when there are none. */
function topicsOf(question: string): string[] {
  const words = (question.slice(0, 4000).match(/\p{L}{4,20}/gu) ?? []).filter((word) => !FILLERS.has(word.toLowerCase()));
  const longest = [...new Set(words)].sort((left, right) => right.length - left.length).slice(0, 4);
  return longest.length > 0 ? longest : ['this'];
}

/** Yields sentences, each with a space before it; endless, so callers decide how long an answer is. */
function* sentences(question: string, seed: number): Generator<string> {
  const random = createRandom(seed);
  const topics = topicsOf(question);
  for (;;) {
    const shuffled = SENTENCES.map((sentence) => ({ sentence, key: random() })).sort((left, right) => left.key - right.key);
    for (const { sentence } of shuffled) {
      const topic = topics[Math.floor(random() * topics.length)] ?? 'this';
      yield ` ${sentence.replace('{topic}', topic)}`;
    }
  }
}

/** Writes an answer of four to nine sentences, or more until it has `charactersMin`; begins with a space. */
export function writeProse(wish: { question: string; seed: number; charactersMin: number }): string {
  const count = SENTENCES_MIN + (hashText(String(wish.seed)) % SENTENCES_SPREAD);
  let text = '';
  let written = 0;
  for (const sentence of sentences(wish.question, wish.seed)) {
    if (written >= count && text.length >= wish.charactersMin) break;
    text += sentence;
    written += 1;
  }
  return text;
}
