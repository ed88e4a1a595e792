/** Requests whose answers can be checked, with content that is drawn anew: the shape of the answer is known, its content is nobody's to keep. Pure. */
import { draw, drawCount, drawSome } from './draw.ts';
import { drawLimit } from './everyday.ts';
import type { Words } from './target.ts';
import { AUDIENCES, CITIES, GOODS, PEOPLE, TOPICS } from './words.ts';

type Random = () => number;

/** Room for a call or an object, and for a model that thinks before. */
const STRUCTURED_TOKENS_LEAST = 96;
const STRUCTURED_TOKENS_MOST = 160;

/** A tool that clients might bring. */
interface Tool {
  name: string;
  description: string;
  /** Parameters, all of them text and required. */
  takes: readonly [string, ...string[]];
  ask(random: Random): string;
}

const TOOLS: readonly [Tool, ...Tool[]] = [
  {
    name: 'get_weather',
    description: 'Current weather of a city.',
    takes: ['city'],
    ask: (random) => `What is the weather like in ${draw(CITIES, random)} right now?`,
  },
  {
    name: 'find_order',
    description: 'Looks an order up by its number.',
    takes: ['order_number'],
    ask: (random) => `Where is order ${drawCount(10_000, 99_999, random)}? ${draw(PEOPLE, random)} has been waiting for it.`,
  },
  {
    name: 'search_documents',
    description: 'Searches the handbook and returns passages.',
    takes: ['query'],
    ask: (random) => `What does our handbook say about ${draw(TOPICS, random)}?`,
  },
  {
    name: 'create_ticket',
    description: 'Opens a ticket for a customer.',
    takes: ['customer', 'subject'],
    ask: (random) => `Open a ticket for ${draw(PEOPLE, random)}: the ${draw(GOODS, random)} does not work.`,
  },
  {
    name: 'book_table',
    description: 'Books a table at a restaurant.',
    takes: ['city', 'name'],
    ask: (random) => `Book a table in ${draw(CITIES, random)} under the name of ${draw(PEOPLE, random)}.`,
  },
  {
    name: 'translate_text',
    description: 'Translates a text.',
    takes: ['text', 'language'],
    ask: (random) => `Have "The ${draw(GOODS, random)} leaves ${draw(CITIES, random)} tomorrow" translated into French.`,
  },
];

/** Asks for a call of one of the tools that it brings: `tools` has their names, each with the parameters that it must be given. */
export function toolTask(random: Random): { request: Words; tools: ReadonlyMap<string, readonly string[]> } {
  const brought = drawSome(TOOLS, drawCount(1, 3, random), random);
  const [wanted = TOOLS[0]] = brought;
  const tools = drawSome(brought, brought.length, random).map(({ name, description, takes }) => ({
    type: 'function' as const,
    function: {
      name,
      description,
      parameters: {
        type: 'object',
        properties: Object.fromEntries(takes.map((field) => [field, { type: 'string' }])),
        required: [...takes],
      },
    },
  }));
  return {
    request: { messages: [{ role: 'user', content: wanted.ask(random) }], tools, tool_choice: 'required', ...room(random) },
    tools: new Map(brought.map(({ name, takes }) => [name, takes])),
  };
}

/** Asks for any JSON object. */
export function jsonTask(random: Random): Words {
  const [first, second] = drawSome(['name', 'city', 'summary', 'price', 'reason', 'next_step', 'title', 'country'], 2, random);
  const about = draw([draw(CITIES, random), draw(TOPICS, random), `a ${draw(GOODS, random)}`], random);
  const content = `Describe ${about} as a JSON object with the keys "${first}" and "${second}". Keep it short.`;
  return { messages: [{ role: 'user', content }], response_format: { type: 'json_object' }, ...room(random) };
}

const KEY_WORDS = [
  'topic',
  'harbour',
  'draft',
  'reader',
  'client',
  'season',
  'branch',
  'ledger',
  'visit',
  'label',
  'stock',
  'route',
] as const;
const KEY_ENDINGS = ['name', 'note', 'hint', 'line', 'word', 'code'] as const;

/** Asks for an object of a schema: its keys follow from nothing in the question, so that nobody answers with them who does not obey. */
export function schemaTask(random: Random): { request: Words; keys: readonly string[] } {
  const keys = drawSome(KEY_WORDS, drawCount(1, 2, random), random).map((word) => `${word}_${draw(KEY_ENDINGS, random)}`);
  const schema = {
    type: 'object',
    properties: Object.fromEntries(keys.map((key) => [key, { type: 'string', maxLength: drawCount(4, 8, random) * 5 }])),
    required: [...keys],
    additionalProperties: false,
  };
  const content = `What should ${draw(AUDIENCES, random)} know about ${draw(TOPICS, random)}?`;
  return {
    request: {
      messages: [{ role: 'user', content }],
      response_format: {
        type: 'json_schema',
        json_schema: { name: draw(['answer', 'result', 'reply', 'record'], random), strict: true, schema },
      },
      ...room(random),
    },
    keys,
  };
}

/** Asks for something that two people would hardly say in the same words, with a seed. */
export function seedTask(random: Random): Words {
  const content = draw(
    [
      `Name five things that one should know about ${draw(TOPICS, random)}.`,
      `Make up a short story about a ${draw(GOODS, random)} in ${draw(CITIES, random)}.`,
      `Invent a slogan for a shop that sells every kind of ${draw(GOODS, random)}.`,
    ],
    random,
  );
  return {
    messages: [{ role: 'user', content }],
    seed: draw([42, 1, 1234, drawCount(0, 1e6, random), drawCount(0, 2 ** 31 - 1, random)], random),
    temperature: draw([0.7, 0.8, 0.9, 1], random),
    max_tokens: drawLimit(16, 25, random),
  };
}

/** Asks for the rest of a count: `next` is what must come, `first` what comes of an answer that begins anew. */
export function continuationTask(random: Random): { request: Words; begun: string; first: readonly [string, string]; next: string } {
  const step = draw([1, 1, 2, 5, 10], random);
  const from = draw([1, 1, drawCount(2, 30, random)], random) * step;
  const given = drawCount(4, 8, random);
  const to = from + step * (given + drawCount(8, 16, random));
  const at = (place: number) => String(from + step * place);
  const counted = Array.from({ length: given }, (_, place) => at(place));
  // Nobody who begins anew puts another mark behind the second number: who repeats it goes on.
  const begun = `${counted.slice(0, 2).join(', ')}; ${counted.slice(2).join(', ')},`;
  const by = step === 1 ? '' : ` in steps of ${step}`;
  return {
    request: {
      messages: [{ role: 'user', content: `Count from ${from} to ${to}${by}, separated by commas.` }],
      temperature: 0,
      max_tokens: drawLimit(16, 32, random),
    },
    begun,
    first: [at(0), at(1)],
    next: at(given),
  };
}

function room(random: Random): { max_tokens: number; temperature?: number } {
  return {
    max_tokens: drawLimit(STRUCTURED_TOKENS_LEAST, STRUCTURED_TOKENS_MOST, random),
    ...(random() < 0.5 && { temperature: draw([0, 0.1, 0.2, 0.3], random) }),
  };
}
