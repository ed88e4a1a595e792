import { describe, expect, it } from 'vitest';
import { toCsv } from '#cli/csv';

describe('comma-separated values', () => {
  it('quote what RFC 4180 says, end lines in CRLF, and leave absent values empty', () => {
    expect(
      toCsv(
        ['a', 'b'],
        [
          ['x,y', 'say "hi"'],
          ['two\nlines', null],
          [1.5, undefined],
        ],
      ),
    ).toBe('a,b\r\n"x,y","say ""hi"""\r\n"two\nlines",\r\n1.5,\r\n');
  });

  it.each(['=1+1', '+1+1', '-2+3', '@SUM(A1)', '\t=1', '\r=1', '=HYPERLINK("http://x","y")'])(
    'I13: %j is a text to every spreadsheet',
    (text) => {
      const [, line = ''] = toCsv(['name'], [[text]]).split('\r\n');
      expect(line.replace(/^"/, '')).toMatch(/^'/);
    },
  );

  it.each([
    ['a;=1+1', "a;'=1+1"],
    ['a|=1+1', "a|'=1+1"],
    ['a\t@SUM(A1)', "a\t'@SUM(A1)"],
    ['two\n-1+1', '"two\n\'-1+1"'],
    ['a; =1', "a;' =1"],
    ['＝1+1', "'＝1+1"],
    ['a\u009b2J\r=1', 'a 2J =1'],
  ])('I13: %j begins no formula where a spreadsheet splits it, and holds nothing that a terminal obeys', (text, line) => {
    expect(toCsv(['name'], [[text]])).toBe(`name\r\n${line}\r\n`);
  });

  it('negative and small numbers stay numbers', () => {
    expect(toCsv(['n'], [[-5], [1e-9], ['-0.25']])).toBe('n\r\n-5\r\n1e-9\r\n-0.25\r\n');
  });
});
