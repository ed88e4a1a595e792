import { describe, expect, it } from 'vitest';
import { GatewayError } from '#schema/error';
import { embeddings } from '#src/skins/units/embeddings';
import { images } from '#src/skins/units/images';
import { rerank } from '#src/skins/units/rerank';
import { speech } from '#src/skins/units/speech';
import { transcriptions } from '#src/skins/units/transcriptions';
import { FILE, read, refusal } from './unit-client.ts';

describe('every unit operation', () => {
  it.each([
    [embeddings, { input: 'a' }],
    [rerank, { query: 'q', documents: ['a'] }],
    [images, { prompt: 'p' }],
    [speech, { input: 'a' }],
    [transcriptions, { file: FILE }],
  ])('passes what it does not know, and tells the router what it must', (skin, fields) => {
    const routers = { models: ['c/d'], provider: { only: ['x'] }, session_id: 's' };
    const { body, request } = read(skin, { ...fields, ...routers, user: 'u', novel: 'field', absent: null });
    expect(body.fields).toMatchObject({ user: 'u', novel: 'field' });
    for (const field of ['model', 'absent']) expect(body.fields).not.toHaveProperty(field);
    expect(request).toMatchObject({ model: 'a/b', models: ['c/d'], provider: { only: ['x'] }, session_id: 's' });
  });

  it.each([
    [embeddings, 'input'],
    [rerank, 'documents'],
    [images, 'prompt'],
    [speech, 'input'],
    [transcriptions, 'file'],
  ])('names what is too long as its clients do', (skin, param) => {
    const error = new GatewayError('context_length_exceeded', 'Too long.', { param: 'messages' });
    expect(skin.writeError(error)).toMatchObject({ error: { code: 400, message: 'Too long.', param } });
  });

  it.each([
    [embeddings, { input: 'a', provider: { onyl: ['x'] } }, 'provider.onyl'],
    [rerank, { query: 'q', documents: ['a'], model: '' }, 'model'],
    [images, { prompt: 'p', models: 'x' }, 'models'],
  ])('refuses a misspelt wish by its name', (skin, fields, param) => {
    expect(refusal(skin, fields)).toMatchObject({ code: 'invalid_request', param });
  });
});
