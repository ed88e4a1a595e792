import { describe, expect, it } from 'vitest';
import { rerank } from '#src/skins/units/rerank';
import { CHARGE, LABELS, read, refusal, said, settled } from './unit-client.ts';

describe('rerank', () => {
  const documents = ['a', { text: 'b', title: 'B' }];
  const results = [
    { index: 1, relevance_score: 0.9 },
    { index: 0, relevance_score: 0.1 },
  ];

  it('sends documents as plain text and asks for none back', () => {
    const { body, needs } = read(rerank, { query: 'q', documents, top_n: 1, return_documents: true });
    expect(body.fields).toEqual({ query: 'q', documents: ['a', 'b'], top_n: 1 });
    expect(needs).toEqual([]);
  });

  it('sends pictures as they are, to endpoints that can see', () => {
    const picture = { image: 'https://a.example/x.png' };
    const { body, needs } = read(rerank, { query: 'q', documents: ['a', picture] });
    expect(body.fields['documents']).toEqual(['a', picture]);
    expect(needs).toEqual(['vision']);
  });

  it('counts a search for each hundred documents begun, and holds for documents that count more than once', () => {
    expect(read(rerank, { query: 'q', documents: ['a'] }).size).toMatchObject({ unitsMax: 1, unitsExpected: 1 });
    expect(read(rerank, { query: 'q', documents: Array.from({ length: 101 }, () => 'a') }).size).toMatchObject({
      unitsMax: 2,
      unitsExpected: 2,
    });
    expect(read(rerank, { query: 'q', documents: Array.from({ length: 60 }, () => 'word '.repeat(500)) }).size).toMatchObject({
      unitsMax: 2,
      unitsExpected: 1,
    });
  });

  it('answers with the documents of the request', () => {
    const client = read(rerank, { query: 'q', documents });
    expect(client.writeAnswer(LABELS, said({ json: { results } }), settled({ promptTokens: 38, units: 1 }))).toEqual({
      id: 'gen-1',
      model: 'a/b',
      provider: 'Rig',
      results: [
        { index: 1, relevance_score: 0.9, document: { text: 'b', title: 'B' } },
        { index: 0, relevance_score: 0.1, document: { text: 'a' } },
      ],
      usage: { search_units: 1, total_tokens: 38, ...CHARGE },
    });
  });

  it('leaves documents out for a client that does not want them', () => {
    const client = read(rerank, { query: 'q', documents, return_documents: false });
    expect(client.writeAnswer(LABELS, said({ json: { results } }), settled({}))).toMatchObject({ results });
  });

  it.each([
    ['no query', { documents: ['a'] }, 'query'],
    ['no documents', { query: 'q', documents: [] }, 'documents'],
    ['a document that is a number', { query: 'q', documents: [7] }, 'documents.0'],
    ['a document without text', { query: 'q', documents: ['a', { title: 'b' }] }, 'documents.1'],
    ['none of the best', { query: 'q', documents: ['a'], top_n: 0 }, 'top_n'],
  ])('refuses %s', (_, fields, param) => {
    expect(refusal(rerank, fields)).toMatchObject({ status: 400, param });
  });
});
