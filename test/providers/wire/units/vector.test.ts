import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromFloat32, readVector, toFloat32 } from '#providers/wire/units/vector';

const float32 = fc.float({ noNaN: true, noDefaultInfinity: true });

describe('vectors', () => {
  it('survive base64 exactly, number for number', () => {
    fc.assert(
      fc.property(fc.array(float32, { minLength: 1, maxLength: 50 }), (numbers) => {
        expect(fromFloat32(toFloat32(numbers))).toEqual(numbers);
      }),
    );
  });

  it('are the bytes that OpenAI sends: little-endian floats of 32 bits', () => {
    expect(toFloat32([0.5, -0.25, 0.125])).toBe('AAAAPwAAgL4AAAA+');
  });

  it('come in the encoding that was asked for', () => {
    expect(readVector([0.5, -0.25], 'float')).toEqual({ embedding: [0.5, -0.25], dimensions: 2 });
    expect(readVector('AAAAPwAAgL4=', 'float')).toEqual({ embedding: [0.5, -0.25], dimensions: 2 });
    expect(readVector([0.5, -0.25], 'base64')).toEqual({ embedding: 'AAAAPwAAgL4=', dimensions: 2 });
    expect(readVector('AAAAPwAAgL4=', 'base64')).toEqual({ embedding: 'AAAAPwAAgL4=', dimensions: 2 });
  });

  it.each([
    ['empty', []],
    ['an empty text', ''],
    ['null inside', [0.5, null]],
    ['too large for 32 bits', [1e300]],
    ['half a float', 'AAAA'],
    ['no base64', '%%%%'],
    ['NaN in base64', toFloat32([Number.NaN])],
    ['infinity in base64', toFloat32([Number.POSITIVE_INFINITY])],
    ['absent', undefined],
  ])('are refused when broken: %s', (_, said) => {
    expect(readVector(said, 'float')).toBeNull();
    expect(readVector(said, 'base64')).toBeNull();
  });
});
