import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTrace } from '#bench/sim/workloads/read-trace';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-trace-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileWith(content: string | Buffer, name = 'trace'): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

describe('a trace in CSV', () => {
  test('is read with dates of seven fraction digits, to a fraction of a millisecond', async () => {
    const file = fileWith(
      'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n',
    );
    const [first, second] = await readTrace(file);
    expect(first).toMatchObject({ promptTokens: 374, completionTokens: 44 });
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeCloseTo(4_314.579, 2);
  });

  test.each([
    [
      'CRLF, blank lines and a byte order mark',
      '\uFEFFTIMESTAMP,ContextTokens,GeneratedTokens\r\n\r\n2024-05-10 00:00:01+00:00,5,6\r\n\r\n',
    ],
    ['no header', '2024-05-10 00:00:01.000000,5,6'],
    ['seconds in place of dates', '1.000,5,6'],
    ['seconds with an exponent and fractions of tokens', '1e0,5.0,6.2'],
    ['other names in another order', 'Model,Output Tokens,Input Tokens,Arrival Time\nchat,6,5,1\n'],
    ['quotes', '"TIMESTAMP","ContextTokens","GeneratedTokens"\n"2024-05-10 00:00:01","5","6"\n'],
    ['a zone', '2024-05-10T02:00:01+02:00,5,6\n'],
  ])('may have %s', async (_, content) => {
    const arrivals = await readTrace(fileWith(content));
    expect(arrivals).toEqual([{ atMs: expect.any(Number), promptTokens: 5, completionTokens: 6 }]);
    expect((arrivals[0]?.atMs ?? 0) % 86_400_000).toBe(1_000);
  });

  test('may be gzipped, whatever its name', async () => {
    const file = fileWith(gzipSync('TIMESTAMP,ContextTokens,GeneratedTokens\n1,5,6\n'), 'trace.csv');
    expect(await readTrace(file)).toHaveLength(1);
  });

  test.each([
    ['1,5,6\n2,five,6\n', 'line 2: ContextTokens is not a number of tokens: "five"'],
    ['1,5,6\n\nnever,5,6\n', 'line 3: TIMESTAMP is neither a date nor a number of seconds: "never"'],
    ['1,5,6\n2,5\n', 'line 2: GeneratedTokens is not a number of tokens: ""'],
    ['1,5,6\n2,5,-1\n', 'line 2: GeneratedTokens is not a number of tokens: "-1"'],
    ['a,b,c\n', 'line 1: neither TIMESTAMP,ContextTokens,GeneratedTokens nor JSON'],
    [
      '\u001b[2J\u0007,b\n',
      'line 1: neither TIMESTAMP,ContextTokens,GeneratedTokens nor JSON with timestamp, input_length, output_length, but "\uFFFD[2J\uFFFD, b"',
    ],
    ['{\u001b[2J\n', 'line 1: not JSON: {\uFFFD[2J'],
    ['TIMESTAMP,ContextTokens,GeneratedTokens\n', 'no requests in it'],
    ['', 'no requests in it'],
  ])('%j is refused with its line', async (content, message) => {
    const file = fileWith(content);
    await expect(readTrace(file)).rejects.toThrow(`${file}: ${message}`);
  });

  test('that is cut off in its archive is refused', async () => {
    const whole = gzipSync(Array.from({ length: 5_000 }, (_, at) => `${at},${(at * 7919) % 997},6`).join('\n'));
    await expect(readTrace(fileWith(whole.subarray(0, whole.length / 2)))).rejects.toThrow('unexpected end of file');
  });

  test('that does not exist is refused in one line', async () => {
    await expect(readTrace(join(folder, 'nowhere.csv'))).rejects.toThrow(/nowhere\.csv: no such file$/);
  });
});

describe('a trace in JSON lines', () => {
  test('gives times in milliseconds and prefix blocks', async () => {
    const content =
      '{"timestamp": 27.5, "input_length": 1100, "output_length": 7, "hash_ids": [4, 5]}\r\n\n{"timestamp":30,"input_length":3,"output_length":0}\n';
    expect(await readTrace(fileWith(content))).toEqual([
      { atMs: 27.5, promptTokens: 1_100, completionTokens: 7, blocks: [4, 5] },
      { atMs: 30, promptTokens: 3, completionTokens: 1 },
    ]);
  });

  test.each([
    ['{"timestamp":1,"input_length":3,"output_length":1}\n{"timestamp":', 'line 2: not JSON: {"timestamp":'],
    ['{"timestamp":1,"input_length":"3","output_length":1}', 'line 1: input_length:'],
  ])('%j is refused with its line', async (content, message) => {
    await expect(readTrace(fileWith(content))).rejects.toThrow(message);
  });
});
