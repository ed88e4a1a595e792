/** Plain English about whatever was asked: the same question and seed give the same sentences, at every endpoint. */
import { createRandom, hashText } from './random.ts';
import { splitTokens } from './tokens.ts';

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
/** How a question asks for a length, as in `Write 40 sentences about water`. */
const LENGTH_WISH = /\b(\d{1,3}) sentences\b/;

const FILLERS = new Set([
  'about',
  'could',
  'does',
  'from',
  'have',
  'please',
  'sentences',
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

/** Writes as many sentences as the question asks for, else four to nine, and goes on until it has `tokensMin`; begins with a space. */
export function writeProse(wish: { question: string; seed: number; tokensMin: number }): string {
  const count = Number(LENGTH_WISH.exec(wish.question)?.[1] ?? SENTENCES_MIN + (hashText(String(wish.seed)) % SENTENCES_SPREAD));
  let text = '';
  let written = 0;
  let tokens = 0;
  for (const sentence of sentences(wish.question, wish.seed)) {
    if (written >= Math.max(1, count) && tokens >= wish.tokensMin) break;
    text += sentence;
    written += 1;
    tokens += splitTokens(sentence).length;
  }
  return text;
}
