import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { providerCard } from '#providers/provider';
import { dialectOf, findProvider, providers, quirksOf } from '#providers/registry';
import { dialectId, supplyKind } from '#schema/catalog';

const FOLDERS = supplyKind.options;
const cardFiles = FOLDERS.flatMap((folder) =>
  readdirSync(join(import.meta.dirname, '../../providers', folder)).map((file) => ({ folder, id: file.replace(/\.ts$/, '') })),
);
const cards = [...providers.values()];

describe('the registry', () => {
  it('holds every card file once, under the name of its file and in the folder of its supply', () => {
    expect(cards.map(({ id, supply }) => `${supply}/${id}`).toSorted()).toEqual(
      cardFiles.map(({ id, folder }) => `${folder}/${id}`).toSorted(),
    );
  });

  it('finds cards and dialects by id', () => {
    expect(findProvider('together')?.name).toBe('Together AI');
    expect(findProvider('__proto__')).toBeUndefined();
    for (const id of dialectId.options) expect(dialectOf(id).id).toBe(id);
  });

  it('gives custom endpoints the quirks of their engine, and others those of their provider', () => {
    expect(quirksOf('selfhosted', 'vllm')).toBe(findProvider('vllm')?.quirks);
    expect(quirksOf('my-lab', 'llama.cpp')).toBe(findProvider('llama-cpp')?.quirks);
    expect(quirksOf('selfhosted', 'SGLang')).toBe(findProvider('sglang')?.quirks);
    expect(quirksOf('selfhosted', 'openai')).toBe(findProvider('selfhosted')?.quirks);
    expect(quirksOf('my-lab')).toBe(findProvider('selfhosted')?.quirks);
    expect(quirksOf('together', 'vllm')).toBe(findProvider('together')?.quirks);
  });
});

describe.each(cards)('the card of $id', (card) => {
  it('is valid, every fact with its source and date', () => {
    expect(providerCard.parse(card)).toEqual(card);
    expect(card.sources.length).toBeGreaterThan(0);
  });

  it('has a plain https base URL without trailing slash, or none', () => {
    if (card.baseUrl === null) return;
    expect(card.baseUrl).toMatch(/^https:\/\/[a-z0-9.-]+(?:\/[A-Za-z0-9._-]+)*$/);
  });

  it('claims zero retention or no training only with a statement behind it', () => {
    const { trains, retentionDays, source } = card.dataPolicy;
    if (trains === false || retentionDays === 0) expect(source).not.toMatch(/^no /);
    if (source === 'no statement found') expect({ trains, retentionDays }).toEqual({ trains: null, retentionDays: null });
  });
});

it('no two providers share a key, so that one credential never reaches two origins', () => {
  const names = cards.map((card) => card.keyName);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

describe('fixtures', () => {
  const root = join(import.meta.dirname, '../fixtures');
  const answers = [...providers.keys()]
    .filter((id) => existsSync(join(root, id)))
    .flatMap((id) => readdirSync(join(root, id)).map((file) => `${id}/${file}`))
    .filter((file) => !file.endsWith('.meta.json'));

  it('say where their shape comes from and when it was read', () => {
    expect(answers.length).toBeGreaterThan(20);
    for (const file of answers) {
      const meta = JSON.parse(readFileSync(join(root, file.replace(/\.(?:sse|json)$/, '.meta.json')), 'utf8'));
      expect(meta).toEqual({ shape_from: expect.stringMatching(/.{3}/), date: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/) });
    }
  });
});
