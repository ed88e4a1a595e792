/** What a broken answer is continued with: byte for byte the rest of the unbroken one. */
import { describe, expect, test } from 'vitest';
import type { Devnet } from '#devnet/devnet';
import { FLEET } from '#devnet/fleet';
import { splitTokens } from '#devnet/tokens';
import { chat, contentOf, message, startFleet } from './support.ts';

const QUESTION = [{ role: 'user', content: 'Write 12 sentences about mountain rivers and Überläufe' }];
const CONTINUING = { continue_final_message: true, add_generation_prompt: false };
/** Every OpenAI endpoint of the model that can continue. */
const SUCCESSORS = FLEET.filter(
  ({ dialect, capabilities, models }) =>
    dialect === 'openai-chat' && capabilities.includes('continuation') && models.some(({ id }) => id === 'qwen/qwen3-8b'),
).map(({ id }) => id);

async function startSoundFleet(): Promise<Devnet> {
  const devnet = await startFleet(1_000_000);
  for (const id of SUCCESSORS) await fetch(`${devnet.url}/control/${id}`, { method: 'PUT', body: JSON.stringify({ habits: false }) });
  return devnet;
}

interface Spoken {
  text: string;
  finish: string;
}

async function say(devnet: Devnet, id: string, fields: Record<string, unknown> = {}): Promise<Spoken> {
  const { choices } = JSON.parse((await chat(devnet, id, { messages: QUESTION, ...fields })).text);
  return { text: choices[0].message.content, finish: choices[0].finish_reason };
}

function goOn(devnet: Devnet, id: string, delivered: string, fields: Record<string, unknown> = {}): Promise<Spoken> {
  return say(devnet, id, { messages: [...QUESTION, { role: 'assistant', content: delivered }], ...CONTINUING, ...fields });
}

/** Lists the texts that a stream may have delivered when it broke: whole words, the label's own among them. */
function brokenOff(text: string): string[] {
  return [...text.matchAll(/ /g)].map(({ index }) => text.slice(0, index));
}

test('there are successors of both supply kinds', () => {
  expect(SUCCESSORS).toEqual(expect.arrayContaining(['miner-swift', 'rig-4090-a']));
});

test('a stream that dies goes on at every other endpoint with the words that were still to come, and no label', async () => {
  const devnet = await startSoundFleet();
  const { text: unbroken } = await say(devnet, 'miner-mortal');
  await fetch(`${devnet.url}/control/miner-mortal`, { method: 'DELETE' });
  const delivered = contentOf((await chat(devnet, 'miner-mortal', { messages: QUESTION, stream: true })).text);
  await fetch(`${devnet.url}/control/miner-mortal`, { method: 'PUT', body: '{"habits":false}' });
  expect(delivered.length).toBeGreaterThan(100);
  for (const id of SUCCESSORS) expect(delivered + (await goOn(devnet, id, delivered)).text).toBe(unbroken);
});

test('wherever an answer breaks, its rest completes it; white space that the prefix lost comes again', async () => {
  const devnet = await startSoundFleet();
  const { text: unbroken } = await say(devnet, 'rig-4090-a');
  for (const delivered of brokenOff(unbroken)) {
    const { text, finish } = await goOn(devnet, 'rig-4090-a', delivered);
    expect(delivered + text).toBe(unbroken);
    expect(finish).toBe('stop');
  }
});

test('a label that broke off is completed by the one who goes on, and the body is not touched', async () => {
  const devnet = await startSoundFleet();
  const body = (await say(devnet, 'miner-swift')).text.slice('[simulated by miner-swift]'.length);
  for (const delivered of ['[', '[simulated', '[simulated by', '[simulated by rig']) {
    expect(delivered + (await goOn(devnet, 'rig-4090-a', delivered)).text).toBe(`[simulated by rig-4090-a]${body}`);
  }
  expect(`[simulated by miner-mo${(await goOn(devnet, 'rig-4090-a', '[simulated by miner-mo')).text}`).toBe(
    `[simulated by miner-mo]${body}`,
  );
});

test('text that no endpoint wrote is continued under a label', async () => {
  const devnet = await startSoundFleet();
  expect((await goOn(devnet, 'miner-swift', 'Once upon a time')).text).toMatch(/^ \[simulated by miner-swift\] /);
});

describe('limits', () => {
  test('max_tokens less what was delivered ends the joined answer where max_tokens ends the unbroken one', async () => {
    const devnet = await startSoundFleet();
    const { text: unbroken } = await say(devnet, 'miner-swift', { max_tokens: 60 });
    for (const delivered of brokenOff(unbroken).slice(3)) {
      const rest = await goOn(devnet, 'rig-4090-a', delivered, { max_tokens: 60 - splitTokens(delivered).length });
      expect(rest.finish).toBe('length');
      expect(delivered + rest.text).toBe(unbroken);
    }
  });

  test('ignore_eos and min_tokens count what is still to come', async () => {
    const devnet = await startSoundFleet();
    const wish = { messages: [{ role: 'user', content: 'Rivers?' }], min_tokens: 200, max_tokens: 1000 };
    const { text: unbroken } = await say(devnet, 'miner-swift', wish);
    const cut = unbroken.slice(0, unbroken.indexOf('.') + 1);
    const { length: tokens } = splitTokens(cut);
    const messages = [...wish.messages, { role: 'assistant', content: cut }];
    const rest = await say(devnet, 'rig-4090-a', { ...wish, ...CONTINUING, messages, min_tokens: 200 - tokens });
    expect(cut + rest.text).toBe(unbroken);
    const endless = { messages: wish.messages, ignore_eos: true, max_tokens: 400 };
    const whole = await say(devnet, 'miner-swift', endless);
    const end = await say(devnet, 'rig-4090-a', { ...endless, ...CONTINUING, messages, max_tokens: 400 - tokens });
    expect(cut + end.text).toBe(whole.text);
  });

  test('a stop word after the seam ends the answer where it ends the unbroken one', async () => {
    const devnet = await startSoundFleet();
    const whole = (await say(devnet, 'miner-swift')).text;
    const stop = whole.slice(-40, -20);
    const { text: unbroken } = await say(devnet, 'miner-swift', { stop });
    expect(unbroken.length).toBeLessThan(whole.length);
    const delivered = unbroken.slice(0, unbroken.indexOf(' ', 80));
    expect(delivered + (await goOn(devnet, 'rig-4090-a', delivered, { stop })).text).toBe(unbroken);
  });
});

test('JSON that broke goes on by the words of a system message, because engines apply a format to what they generate only', async () => {
  const devnet = await startSoundFleet();
  const schema = {
    type: 'object',
    properties: { springs: { type: 'array', minItems: 9, items: { const: 'a b' } } },
    required: ['springs'],
  };
  const { text: unbroken } = await say(devnet, 'miner-swift', {
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
  });
  const instruction = {
    role: 'system',
    content: `Answer with one JSON value. It must be valid against this JSON Schema:\n${JSON.stringify(schema)}`,
  };
  for (const at of [1, 15, 20, unbroken.length - 1]) {
    const messages = [instruction, ...QUESTION, { role: 'assistant', content: unbroken.slice(0, at) }];
    expect(unbroken.slice(0, at) + (await say(devnet, 'rig-4090-a', { messages, ...CONTINUING })).text).toBe(unbroken);
  }
  const free = await say(devnet, 'miner-swift', { response_format: { type: 'json_object' } });
  const inWords = [{ role: 'system', content: 'Answer with one JSON object and nothing else.' }, ...QUESTION];
  expect((await say(devnet, 'rig-4090-a', { messages: inWords })).text).toBe(free.text);
});

test('an answer about a tool result goes on as a text, not as another call', async () => {
  const devnet = await startSoundFleet();
  const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
  const messages = [
    ...QUESTION,
    { role: 'assistant', content: null, tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: 'call_1', content: 'sunny, 21 degrees' },
  ];
  const { text: unbroken } = await say(devnet, 'miner-swift', { messages, tools });
  expect(unbroken).toContain('The tool said: sunny, 21 degrees.');
  const delivered = unbroken.slice(0, unbroken.indexOf(' ', 40));
  const rest = await say(devnet, 'rig-4090-a', {
    messages: [...messages, { role: 'assistant', content: delivered }],
    tools,
    ...CONTINUING,
  });
  expect(delivered + rest.text).toBe(unbroken);
});

test('the endpoint of the other dialect goes on with the same words', async () => {
  const devnet = await startSoundFleet();
  const { text: unbroken } = await say(devnet, 'miner-swift');
  const delivered = unbroken.slice(0, unbroken.indexOf(' ', 80));
  const turns = [...QUESTION, { role: 'assistant', content: delivered }];
  const { content } = JSON.parse((await message(devnet, { model: 'qwen3-8b', messages: turns })).text);
  expect(delivered + content[0].text).toBe(unbroken);
});
