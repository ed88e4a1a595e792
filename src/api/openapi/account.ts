/** What was asked and charged, and the keys that may ask. */
import { chatRequest } from '#schema/chat';
import { createKey as createKeyBody, rotateKey as rotateKeyBody, updateKey as updateKeyBody } from '#schema/key';
import { generation } from '#schema/answers/generation';
import { changedKey, createdKey, deletedKey, keyData, keyList, ownKey, rotatedKey } from '#schema/answers/keys';
import { explainBody } from '#schema/answers/plan';
import { activity, credits } from '#schema/answers/usage-sums';
import { activityQuery } from '../activity.ts';
import { explainQuery } from '../explain.ts';
import { generationQuery } from '../generation.ts';
import { keysQuery } from '../keys.ts';
import type { Description } from './description.ts';

export const explain: Description = {
  id: 'explain',
  tag: 'Routing',
  summary: 'Plan a chat request without sending it, or plan one again',
  text: 'The plan that the request would follow now: candidates in order with every term of their index, and what each hard filter excluded. With `generation` no body is read: the receipt’s plan is made again from its recorded inputs, health included, over the catalogue of now. Nothing is sent and nothing is charged.',
  key: 'inference',
  plansOnly: true,
  query: explainQuery,
  body: chatRequest,
  example: { model: 'openai/gpt-oss-120b', messages: [{ role: 'user', content: 'What is a headrace?' }], provider: { sort: 'price' } },
  answer: explainBody,
};

export const getGeneration: Description = {
  id: 'getGeneration',
  tag: 'Routing',
  summary: 'Fetch the receipt of a request',
  text: 'Readable as soon as the answer has ended: what was asked and served, every attempt, the plan, the usage and the cost.',
  key: 'inference',
  query: generationQuery,
  example: { id: 'gen-0123456789' },
  answer: generation,
};

export const getOwnKey: Description = { id: 'getOwnKey', tag: 'Account', summary: 'Describe the calling key', key: 'any', answer: ownKey };

export const getCredits: Description = {
  id: 'getCredits',
  tag: 'Account',
  summary: 'Credits and charges in all',
  text: 'Credits are budgets for all time and what teams have paid ahead; budgets that begin anew are none.',
  key: 'management',
  answer: credits,
};

export const getActivity: Description = {
  id: 'getActivity',
  tag: 'Account',
  summary: 'Usage by day, model and endpoint',
  text: 'Of the last thirty whole UTC days, newest first.',
  key: 'management',
  query: activityQuery,
  example: { group_by: 'workspace' },
  answer: activity,
};

const keys = { tag: 'Keys', key: 'management' } as const;

export const listKeys: Description = {
  ...keys,
  id: 'listKeys',
  summary: 'List keys',
  text: 'Oldest first, a hundred at a time. Keys of the manifest are among them.',
  query: keysQuery,
  answer: keyList,
};

export const createKey: Description = {
  ...keys,
  id: 'createKey',
  summary: 'Make a key',
  text: 'The key itself is in this answer and nowhere else afterwards.',
  body: createKeyBody,
  example: { name: 'night shift', limit: 25, limit_reset: 'monthly' },
  answer: createdKey,
  creates: true,
};

export const getKey: Description = { ...keys, id: 'getKey', summary: 'Describe a key', answer: keyData };

export const updateKey: Description = {
  ...keys,
  id: 'updateKey',
  summary: 'Change a key',
  text: 'What is absent stays; `changes` tells what became different. Keys of the manifest are changed there.',
  body: updateKeyBody,
  example: { disabled: true },
  answer: changedKey,
};

export const rotateKey: Description = {
  ...keys,
  id: 'rotateKey',
  summary: 'Rotate a key',
  text: 'The key gets a new token and with it a new hash; its id, limits and receipts stay. The old token works until the overlap ends, one from an earlier rotation no longer. Of two rotations at once one is a 409. Without a body the overlap is a day.',
  body: rotateKeyBody,
  example: { overlap_s: 3600 },
  answer: rotatedKey,
  creates: true,
};

export const deleteKey: Description = {
  ...keys,
  id: 'deleteKey',
  summary: 'Delete a key',
  text: 'Its receipts stay.',
  answer: deletedKey,
};
