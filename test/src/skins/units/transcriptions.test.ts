import { describe, expect, it } from 'vitest';
import { toBase64 } from '#schema/base64';
import { transcriptions } from '#src/skins/units/transcriptions';
import { CHARGE, FILE, LABELS, PCM, read, refusal, said, settled } from './unit-client.ts';

describe('transcriptions', () => {
  it('read a form, whose fields are text', () => {
    const fields = {
      file: FILE,
      temperature: '0.2',
      provider: '{"only":["x"]}',
      models: '["c/d"]',
      timestamp_granularities: ['word'],
      stream: 'false',
    };
    const { body, request, size } = read(transcriptions, fields);
    expect(body).toMatchObject({ fields: { temperature: 0.2, timestamp_granularities: ['word'] }, file: FILE });
    expect(body.fields).not.toHaveProperty('stream');
    expect(request).toMatchObject({ provider: { only: ['x'] }, models: ['c/d'] });
    expect(size).toEqual({ promptTokens: 0, contextTokens: 0, unitsMax: 3, unitsExpected: 2.5 });
  });

  it("read OpenRouter's JSON into the same form", () => {
    const { body, size } = read(transcriptions, { input_audio: { data: toBase64(PCM), format: 'wav' }, language: 'de' });
    expect(body).toEqual({ fields: { language: 'de' }, file: { ...FILE, name: 'audio.wav' } });
    expect(size.unitsExpected).toBe(2.5);
    expect(read(transcriptions, { input_audio: { data: 'AAAA', format: 'mp3' } }).body.file).toMatchObject({ contentType: 'audio/mpeg' });
  });

  it.each([
    ['no file', { language: 'de' }, 'file'],
    ['a file that is text', { file: 'audio' }, 'file'],
    ['audio that is no base64', { input_audio: { data: '%%%', format: 'wav' } }, 'input_audio.data'],
    ['a format that is a path', { input_audio: { data: 'AAAA', format: '../wav' } }, 'input_audio.format'],
    ['an unknown answer', { file: FILE, response_format: 'docx' }, 'response_format'],
    ['a temperature that is no number', { file: FILE, temperature: 'warm' }, 'temperature'],
    ['wishes that are no JSON', { file: FILE, provider: '{' }, 'provider'],
    ['an unknown granularity', { file: FILE, timestamp_granularities: ['page'] }, 'timestamp_granularities.0'],
    ['a stream', { file: FILE, stream: 'true' }, 'stream'],
  ])('refuse %s', (_, fields, param) => {
    expect(refusal(transcriptions, fields)).toMatchObject({ status: 400, param });
  });

  it('answer with seconds or tokens, whichever was used', () => {
    const { writeAnswer } = read(transcriptions, { file: FILE });
    const reply = said({ json: { text: 'hi' } });
    expect(writeAnswer(LABELS, reply, settled({ units: 2.5 }))).toEqual({
      text: 'hi',
      usage: { type: 'duration', seconds: 2.5, ...CHARGE },
    });
    expect(writeAnswer(LABELS, reply, settled({ promptTokens: 30, completionTokens: 8 }))).toEqual({
      text: 'hi',
      usage: { type: 'tokens', input_tokens: 30, output_tokens: 8, total_tokens: 38, ...CHARGE },
    });
  });

  it('answer subtitles as text', () => {
    const client = read(transcriptions, { file: FILE, response_format: 'srt' });
    expect(client.writeAnswer(LABELS, said({ text: '1\n…' }), settled({ units: 1 }))).toBe('1\n…');
  });
});
