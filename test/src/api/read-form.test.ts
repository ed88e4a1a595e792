import { describe, expect, it } from 'vitest';
import type { GatewayError } from '#schema/error';
import { FILE_BYTES_MAX, isForm, readForm } from '#src/api/read-form';
import { caught } from '#test/support/caught';

const AUDIO = new Uint8Array([0, 255, 13, 10, 45, 45, 7]);
const file = (bytes: Uint8Array<ArrayBuffer> = AUDIO, name = 'a.wav') => new File([bytes], name, { type: 'audio/wav' });

function formOf(...fields: readonly (readonly [string, string | File])[]): FormData {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  return form;
}

const post = (body: BodyInit, headers: Record<string, string> = {}) =>
  new Request('https://router.example/', { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
const refusal = async (body: BodyInit, headers?: Record<string, string>) => (await caught(readForm(post(body, headers)))) as GatewayError;

describe('forms', () => {
  it('give text as it is, lists by their name, and the file byte for byte', async () => {
    const form = formOf(['model', 'a/b'], ['file', file()], ['tags[]', 'x'], ['tags[]', 'y'], ['vad[type]', 'server']);
    expect(await readForm(post(form))).toEqual({
      model: 'a/b',
      file: { field: 'file', name: 'a.wav', contentType: 'audio/wav', bytes: AUDIO },
      tags: ['x', 'y'],
      'vad[type]': 'server',
    });
  });

  it('are read without a length, however the bytes arrive', async () => {
    const whole = post(formOf(['model', 'a/b'], ['file', file()]));
    const bytes = new Uint8Array(await whole.arrayBuffer());
    const drops = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const request = post(drops, { 'content-type': whole.headers.get('content-type') ?? '' });
    expect(await readForm(request)).toMatchObject({ model: 'a/b', file: { bytes: AUDIO } });
  });

  it('are told from JSON by their type', () => {
    expect(isForm(post(formOf(['a', 'b'])))).toBe(true);
    expect(isForm(post('{}', { 'content-type': 'application/json' }))).toBe(false);
  });

  it.each([
    ['a field twice', formOf(['model', 'a'], ['model', 'b']), 'model'],
    ['two files', formOf(['file', file()], ['file', file()]), 'file'],
    ['a file under another name', formOf(['audio', file()]), 'audio'],
    ['an empty file', formOf(['file', file(new Uint8Array())]), 'file'],
    ['a list that is also alone', formOf(['tags', 'x'], ['tags[]', 'y']), 'tags'],
    ['I3: a way to a prototype', formOf(['__proto__', 'x']), null],
    ['a name of many words', formOf(['drop table', 'x']), null],
    ['more fields than anybody needs', formOf(...Array.from({ length: 65 }, (_, at) => [`f${at}`, 'x'] as const)), null],
  ])('refuse %s', async (_, form, param) => {
    expect(await refusal(form)).toMatchObject({ status: 400, code: 'invalid_request', param });
  });

  it('refuse what is no form, without quoting it', async () => {
    expect(await refusal('my secret', { 'content-type': 'multipart/form-data; boundary=x' })).toMatchObject({
      status: 400,
      message: 'The request body is not a valid form.',
    });
    expect(await refusal('my secret', { 'content-type': 'multipart/form-data' })).toMatchObject({ status: 400 });
    expect(await refusal('{}', { 'content-type': 'application/json' })).toMatchObject({ status: 415 });
    expect(await refusal(formOf(['a', 'b']), { 'content-encoding': 'gzip' })).toMatchObject({ status: 415 });
  });

  it('I7: refuse a file above the limit', async () => {
    expect(await refusal(formOf(['file', file(new Uint8Array(FILE_BYTES_MAX + 1))]))).toMatchObject({ status: 413, param: 'file' });
    const declared = post(formOf(['a', 'b']));
    const headers = { 'content-type': declared.headers.get('content-type') ?? '', 'content-length': String(FILE_BYTES_MAX * 2) };
    expect(await refusal('x', headers)).toMatchObject({ status: 413 });
  });
});
