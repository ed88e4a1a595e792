import { describe, expect, it } from 'vitest';
import { speech } from '#src/skins/units/speech';
import { read, refusal } from './unit-client.ts';

describe('speech', () => {
  it('is billed by the character as people count them', () => {
    expect(read(speech, { input: 'Grüße 🌊' }).size.unitsMax).toBe(7);
  });

  it.each([
    ['no input', {}, 'input'],
    ['too much input', { input: 'a'.repeat(100_001) }, 'input'],
    ['an unknown format', { input: 'a', response_format: 'midi' }, 'response_format'],
    ['a gallop', { input: 'a', speed: 5 }, 'speed'],
    ['a stream of events', { input: 'a', stream_format: 'sse' }, 'stream_format'],
    ['a voice to clone', { input: 'a', input_references: [{}] }, 'input_references'],
  ])('refuses %s', (_, fields, param) => {
    expect(refusal(speech, fields)).toMatchObject({ status: 400, param });
  });

  it('takes a voice by name or by id, or leaves it to the endpoint', () => {
    for (const voice of ['alloy', { id: 'voice_1' }])
      expect(read(speech, { input: 'a', voice }).body.fields).toEqual({ input: 'a', voice });
    expect(read(speech, { input: 'a', stream_format: 'audio' }).body.fields).toEqual({ input: 'a' });
  });
});
