import { afterAll, beforeAll, expect, it } from 'vitest';
import { readAnswer } from '#test/support/answers';
import { along } from '#test/support/endpoint-pool';
import { beginningOf, engine } from '#test/support/engine';
import { openHouse, type House } from '#test/support/house';
import { event, openStream } from '#test/support/openai-scripts';
import { reset } from '#test/support/faults';

/** More than the retry budget of an isolate ever holds. */
const STREAMS = 140;
const TEXT = 'It is so, we go up to it all.';
const able = { capabilities: ['continuation'], max_concurrency: 1000 };

let house: House;
beforeAll(async () => {
  house = await openHouse({ endpoints: ['dying', 'heir'].map((id) => ({ id, ...able })) });
});
afterAll(() => house.stop());

it('R3: a node that dies breaks none of the streams that it was answering', async () => {
  const { promise: death, resolve: die } = Promise.withResolvers<void>();
  let answering = 0;
  house.upstream.script('dying', async (_, response) => {
    openStream(response);
    response.write(event({ id: 'up', choices: [{ index: 0, delta: { role: 'assistant', content: 'It is so,' }, finish_reason: null }] }));
    answering += 1;
    if (answering === STREAMS) setTimeout(die, 200);
    await death;
    reset(response);
  });
  house.upstream.script('heir', engine(TEXT));

  const asks = Array.from({ length: STREAMS }, () => house.chat({ stream: true, ...along(['dying', 'heir']) }));
  const answers = await Promise.all(asks.map(async (ask) => readAnswer(await ask)));
  expect(answering).toBe(STREAMS);
  const texts = answers.map(({ text }) => text);
  expect(texts.filter((text) => text !== TEXT)).toEqual([]);
  expect(house.upstream.callsTo('heir').every((call) => beginningOf(call) === 'It is so,')).toBe(true);
  expect(house.upstream.callsTo('heir')).toHaveLength(STREAMS);
});
