import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromBase64, toBase64 } from '#schema/base64';

it('gives back every byte, as Node writes it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    }),
  );
});

it('takes more bytes than a call takes arguments', () => {
  const bytes = new Uint8Array(200_001).fill(7);
  expect(fromBase64(toBase64(bytes))).toEqual(bytes);
});

it('says null to what is no base64', () => {
  for (const text of ['%', 'a', 'data:audio/wav;base64,AAAA']) expect(fromBase64(text)).toBeNull();
});
