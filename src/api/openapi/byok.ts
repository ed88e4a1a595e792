/** The keys that teams bring for providers. */
import { deletedProviderKey, providerKeyData, providerKeyList } from '#schema/answers/byok';
import { createProviderKey as createProviderKeyBody, updateProviderKey as updateProviderKeyBody } from '#schema/byok';
import { providerKeysQuery } from '../byok.ts';
import type { Description } from './description.ts';

const byok = { tag: 'Keys', key: 'management' } as const;

export const listProviderKeys: Description = {
  ...byok,
  id: 'listProviderKeys',
  summary: 'List keys that teams brought for providers',
  text: 'Oldest first. The keys themselves are in no answer.',
  query: providerKeysQuery,
  answer: providerKeyList,
};

export const createProviderKey: Description = {
  ...byok,
  id: 'createProviderKey',
  summary: 'Bring a key for a provider',
  text: 'The team’s requests to that provider are made with this key from then on, and are not charged. It is stored sealed, bound to the team and the provider’s address, and never shown again.',
  body: createProviderKeyBody,
  example: { provider: 'example-provider', key: 'the-key-that-the-provider-gave-you', team: 'research' },
  answer: providerKeyData,
  creates: true,
};

export const getProviderKey: Description = { ...byok, id: 'getProviderKey', summary: 'Describe a provider key', answer: providerKeyData };

export const updateProviderKey: Description = {
  ...byok,
  id: 'updateProviderKey',
  summary: 'Change or replace a provider key',
  text: 'What is absent stays. A `key` takes the place of the one before.',
  body: updateProviderKeyBody,
  example: { disabled: true },
  answer: providerKeyData,
};

export const deleteProviderKey: Description = {
  ...byok,
  id: 'deleteProviderKey',
  summary: 'Delete a provider key',
  text: 'Within a minute the house’s own key serves the team again, where there is one.',
  answer: deletedProviderKey,
};
