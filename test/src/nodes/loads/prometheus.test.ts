import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largestOf, readSamples, sumOf } from '#src/nodes/loads/prometheus';

const plain = (text: string) => readSamples(text).map(({ name, labels, value }) => [name, Object.fromEntries(labels), value]);
const escape = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

describe('the Prometheus reader', () => {
  it.each<[line: string, sample: unknown]>([
    ['up 1', ['up', {}, 1]],
    ['a:b_c{} 2', ['a:b_c', {}, 2]],
    ['m{a="1",b="x y"} 3.5', ['m', { a: '1', b: 'x y' }, 3.5]],
    ['m{a="1",} 3', ['m', { a: '1' }, 3]],
    ['m{ a = "1" , b="2" } 3', ['m', { a: '1', b: '2' }, 3]],
    ['m{a="}\\"\\\\,{"} 1e-3', ['m', { a: '}"\\,{' }, 0.001]],
    ['m 1 1795384716000', ['m', {}, 1]],
    ['m +Inf', ['m', {}, Infinity]],
    ['m{a="1"} 1\r', ['m', { a: '1' }, 1]],
  ])('reads %j', (line, sample) => expect(plain(line)).toEqual([sample]));

  it.each([
    '',
    '# m 1',
    'm',
    'm{a="1"',
    'm{a=1} 2',
    'm{a="1"}x 2',
    'm 0x10',
    'm 1 2 3',
    '{a="1"} 1',
    '1m 2',
    'm one',
    'm{a="1"b="2"} 3',
    `m ${'1'.repeat(20_000)}`,
    '<html> 1',
  ])('leaves out %j', (line) => expect(plain(line)).toEqual([]));

  it('reads back every sample that can be written, whatever its labels hold', () => {
    const name = fc.stringMatching(/^[A-Za-z_:][A-Za-z0-9_:]{0,20}$/);
    const label = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,10}$/);
    const sample = fc.tuple(name, fc.dictionary(label, fc.string({ maxLength: 30 })), fc.double({ noNaN: true, noDefaultInfinity: true }));
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 10 }), (samples) => {
        const usable = samples.filter(([, labels]) => !Object.values(labels).some((value) => /[\r\u2028\u2029]/.test(value)));
        const lines = usable.map(([id, labels, value]) => {
          const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escape(text)}"`);
          return `${id}{${pairs.join(',')}} ${value}`;
        });
        expect(plain(lines.join('\n'))).toEqual(usable.map(([id, labels, value]) => [id, { ...labels }, value + 0]));
      }),
    );
  });

  it('never throws, and keeps a bounded number of samples, whatever it is fed', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => void readSamples(text)));
    expect(readSamples('m 1\n'.repeat(30_000))).toHaveLength(20_000);
  });

  it('adds up one name over labels, takes the first of several names, and believes no NaN', () => {
    const samples = readSamples('a{x="1"} 1\na{x="2"} 2\nb 7\nc NaN');
    expect([sumOf(samples, 'a'), sumOf(samples, 'nope', 'b'), sumOf(samples, 'c'), sumOf(samples, 'nope')]).toEqual([3, 7, null, null]);
    expect([largestOf(samples, 'a'), largestOf(samples, 'c')]).toEqual([2, null]);
  });
});
