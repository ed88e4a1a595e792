import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { messagesError } from '#schema/answers/messages';
import { errorBody } from '#schema/error';
import { generates, routes } from '#src/api/openapi/description';
import { statusesOf } from '#src/api/openapi/errors';
import { described, roots, type Described } from '#test/support/described-operations';
import { MANAGEMENT_KEY, modelOf, openDescribedHouse, WAV, type Changes, type DescribedHouse } from './described-house.ts';

let ours: DescribedHouse;
beforeAll(async () => {
  ours = await openDescribedHouse();
});
afterAll(() => ours.house.stop());

/** Expects a failure of this status, which the description announces, in the surface's own shape. */
async function expectFailure(operation: Described, changes: Changes, status: number): Promise<void> {
  const { description, path } = operation;
  const response = await ours.call(operation, changes);
  const text = await response.text();
  expect([response.status, text.slice(0, 300)], operation.name).toEqual([status, expect.anything()]);
  expect(statusesOf(description, path.includes('{')), operation.name).toContain(status);
  const contract = description.errors === 'messages' ? messagesError : errorBody;
  expect(contract.safeParse(JSON.parse(text)), operation.name).toMatchObject({ success: true });
}

function eventsOf(text: string): unknown[] {
  return [...text.matchAll(/^data: (.+)$/gm)].flatMap(([, data = '']) => (data === '[DONE]' ? [] : [JSON.parse(data) as unknown]));
}

/** Parses what a contract should accept; the problems of what it does not, by path. */
function problemsOf(contract: z.ZodType, value: unknown): string[] {
  const issues = contract.safeParse(value).error?.issues ?? [];
  return issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

/** Bodies that are wrong where an empty one is right: what may be changed is named by nobody. */
const WRONG_BODIES: Readonly<Record<string, object>> = {
  updateKey: { name: 7 },
  updateProviderKey: { name: 7 },
  rotateKey: { overlap_s: -1 },
  updateEndpoint: { context: 'long' },
  createJoinToken: { expires_s: 1 },
  drainNode: { on: 'perhaps' },
};

describe('every operation', () => {
  it.each([...described, ...roots].filter(({ description }) => !description.upgrades))(
    '$name answers as it is described',
    async (operation) => {
      await ours.prepare(operation);
      const { answer: contract, creates, key } = operation.description;
      const response = await ours.call(operation, key === 'join token' ? { key: await ours.makeToken() } : {});
      expect(response.status).toBe(creates ? 201 : 200);
      const type = response.headers.get('content-type') ?? '';
      if (typeof contract === 'string')
        return expect(type).toMatch(new RegExp(`^${contract.replaceAll('+', String.raw`\+`).replace('*', '.+')}`));
      expect(type).toMatch(/^application\/json/);
      expect(problemsOf(contract, await response.json())).toEqual([]);
      await ours.restore(operation);
    },
  );

  it.each(described.filter(({ description }) => description.events))('$name streams the events that are described', async (operation) => {
    const response = await ours.call(operation, { body: { ...ours.bodyOf(operation), stream: true } });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const events = eventsOf(await response.text());
    expect(events.length).toBeGreaterThan(3);
    for (const event of events) expect(problemsOf(operation.description.events as z.ZodType, event)).toEqual([]);
  });

  it.each(described.filter(({ description }) => generates(description)))('$name says in headers who served', async (operation) => {
    const { headers } = await ours.call(operation);
    expect(headers.get('x-generation-id')).toMatch(/^gen-/);
    expect(headers.get('x-headrace-supply')).toMatch(/^(subnet|selfhosted|centralized)$/);
  });
});

describe('every form', () => {
  it.each(described.filter(({ description }) => description.form))('$name takes its body as a form, too', async (operation) => {
    const form = new FormData();
    form.set('model', modelOf(operation));
    form.set('file', new File([WAV], 'silence.wav', { type: 'audio/wav' }));
    const response = await fetch(ours.urlOf(operation), {
      method: 'POST',
      headers: { authorization: `Bearer ${ours.house.key}` },
      body: form,
    });
    expect(response.status).toBe(200);
    expect(problemsOf(operation.description.answer as z.ZodType, await response.json())).toEqual([]);
  });
});

describe('bad input', () => {
  it.each(described.filter(({ description }) => description.body))('$name refuses a body that its contract refuses', async (operation) => {
    const changes = operation.description.key === 'join token' ? { key: await ours.makeToken() } : {};
    await expectFailure(operation, { ...changes, body: WRONG_BODIES[operation.name] ?? {} }, 400);
    await expectFailure(operation, { ...changes, body: [] }, 400);
    await expectFailure(operation, { ...changes, body: '{"model":' }, 400);
  });

  it.each(described.filter(({ description }) => description.key !== 'none'))('$name refuses a key that nobody has', async (operation) => {
    await expectFailure(operation, { key: 'sk-hr-nobody-has-this-key-0000000' }, 401);
  });

  it.each(described.filter(({ description }) => !['none', 'optional'].includes(description.key)))(
    '$name asks for a key',
    async (operation) => {
      await expectFailure(operation, { key: null }, 401);
    },
  );

  it.each(described.filter(({ description }) => ['management', 'operator'].includes(description.key)))(
    '$name refuses an inference key',
    async (operation) => {
      await expectFailure(operation, { key: ours.house.key }, 403);
    },
  );

  it.each(described.filter(({ description }) => description.key === 'inference'))('$name refuses a management key', async (operation) => {
    await expectFailure(operation, { key: MANAGEMENT_KEY }, 403);
  });

  it.each(described.filter(({ path, description }) => path.includes('{') && !description.upgrades))(
    '$name knows what does not exist',
    async (operation) => {
      const url = `${ours.house.url}${operation.path.replace('{author}/{slug}', 'no/such').replace('{hash}', '0'.repeat(64)).replace('{id}', 'no-such')}`;
      await expectFailure(operation, { url }, 404);
    },
  );

  it.each(described.filter(({ description }) => routes(description)))('$name knows which models exist', async (operation) => {
    await expectFailure(operation, { body: { ...ours.bodyOf(operation), model: 'no/such-model' } }, 404);
  });

  it.each(described.filter(({ description }) => description.query))(
    '$name refuses a query that its contract refuses',
    async (operation) => {
      const { shape } = operation.description.query as z.ZodObject;
      const wrong =
        [
          'offset=minus',
          'date=someday',
          'since=someday',
          'version=minus',
          'generation=',
          'id=',
          'state=asleep',
          'accept_shorter=perhaps',
          'limit=minus',
        ].find((query) => (query.split('=')[0] ?? '') in shape) ?? '';
      await expectFailure(operation, { url: `${ours.house.url}${operation.path}?${wrong}` }, 400);
    },
  );
});
