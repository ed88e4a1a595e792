/** A house in which each model fails in its own way and each key lacks something. What the error tests of every client stand on. */
import { frame, message } from './anthropic-scripts.ts';
import { hang, refuse, stream } from './faults.ts';
import { openHouse, type House } from './house.ts';
import { answer, chunk, event } from './openai-scripts.ts';
import { pause } from './pause.ts';
import type { Script } from './scripted-upstream.ts';

type Dialect = 'openai-chat' | 'anthropic-messages';

const TROUBLES = ['plain', 'strict', 'busy', 'broken', 'locked', 'slow', 'torn', 'exhausted'] as const;
type Trouble = (typeof TROUBLES)[number];

/** Names the model that has a trouble; `plain` has none. */
export function modelOf(trouble: Trouble): string {
  return `test/${trouble}`;
}

const KEYS = {
  globbed: 'sk-hr-globbed-00000000000000',
  poor: 'sk-hr-poor-00000000000000000',
  hasty: 'sk-hr-hasty-0000000000000000',
  unknown: 'sk-hr-unknown-00000000000000',
};
const FAILURES_TO_OPEN = 3;

/** What a client asks; the rest is its own greeting to `plain` with the key of the house. */
export interface Ask {
  model?: string;
  key?: string;
  content?: string;
}

/** Every way to be refused before the first byte, with the status that it has. */
export const REFUSALS: readonly (Ask & { status: keyof ByStatus<unknown>; when: string })[] = [
  { status: 400, when: 'the endpoint refuses the request', model: modelOf('strict') },
  { status: 401, when: 'the key is unknown', key: KEYS.unknown },
  { status: 402, when: 'the budget is empty', key: KEYS.poor },
  { status: 403, when: 'the key may not use the model', key: KEYS.globbed },
  { status: 404, when: 'the model is unknown', model: 'test/plian' },
  { status: 413, when: 'the body is too long', content: 'x'.repeat(11 * 1024 * 1024) },
  { status: 429, when: 'every endpoint is full', model: modelOf('busy') },
  { status: 502, when: 'the endpoint is broken', model: modelOf('broken') },
  { status: 502, when: 'the endpoint refuses our key', model: modelOf('locked') },
  { status: 503, when: 'no endpoint may be asked', model: modelOf('exhausted') },
  { status: 504, when: 'nobody answers in time', model: modelOf('slow'), key: KEYS.hasty },
];

/** What a client makes of each status. */
export type ByStatus<Thing> = Record<400 | 401 | 402 | 403 | 404 | 413 | 429 | 502 | 503 | 504, Thing>;

export interface TroubledHouse extends House {
  /** Makes every model do what it does; call it before each test. */
  script(): void;
}

/** Opens the house. */
export async function openTroubledHouse(dialect: Dialect): Promise<TroubledHouse> {
  const house = await openHouse({
    endpoints: TROUBLES.map((id) => ({ id, model: modelOf(id), dialect })),
    manifest: {
      policies: { hasty: { attempts: { deadline_ms: 1000 } } },
      teams: [
        {
          id: 'testers',
          keys: [
            { name: 'globbed', value: KEYS.globbed, models: ['test/none'] },
            { name: 'hasty', value: KEYS.hasty, policy: 'hasty' },
          ],
        },
        { id: 'poor', budget: { usd: 0.000001, per: 'total' }, keys: [{ name: 'poor', value: KEYS.poor }] },
      ],
    },
  });
  const scripts = scriptsOf(dialect);
  await exhaust(house);
  return {
    ...house,
    script() {
      house.upstream.reset();
      for (const trouble of TROUBLES) house.upstream.script(trouble, scripts[trouble]);
    },
  };
}

/** Opens the breaker of `exhausted` and takes its one trial, so that nobody else may ask it. */
async function exhaust({ chat, upstream }: House): Promise<void> {
  const model = modelOf('exhausted');
  upstream.script('exhausted', refuse(500));
  for (let failures = 0; failures < FAILURES_TO_OPEN; failures++) await chat({ model });
  upstream.script('exhausted', hang);
  chat({ model }).catch(() => undefined);
  while (upstream.callsTo('exhausted').length === FAILURES_TO_OPEN) await pause(10);
}

function scriptsOf(dialect: Dialect): Record<Trouble, Script> {
  const isChat = dialect === 'openai-chat';
  return {
    plain: isChat ? answer() : message('Hello there.', { input_tokens: 12, output_tokens: 5 }),
    strict: refuse(400, { message: 'stop must not be empty' }),
    busy: refuse(429, { message: 'slow down' }, { 'retry-after': '3' }),
    broken: refuse(500),
    locked: refuse(401, { message: 'invalid api key' }),
    slow: hang,
    torn: stream(...(isChat ? TORN_CHAT : TORN_MESSAGE)),
    exhausted: hang,
  };
}

const TORN_CHAT = [chunk({ role: 'assistant', content: 'Hel' }), event({ error: { message: 'out of memory', code: 500 } })];
const TORN_MESSAGE = [
  { type: 'message_start', message: { id: 'msg_up', role: 'assistant', content: [], usage: { input_tokens: 12, output_tokens: 1 } } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel' } },
  { type: 'error', error: { type: 'api_error', message: 'out of memory' } },
].map(frame);
