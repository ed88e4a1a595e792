/** `headrace node capacity` as an operator types it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '#cli/program';
import { PUBLISHED_CONFIGS } from '#test/src/nodes/capacity/published-configs';

const CONFIG = JSON.stringify(PUBLISHED_CONFIGS.find(({ model }) => model === 'qwen/qwen3-8b')?.config);

const folder = mkdtempSync(path.join(tmpdir(), 'headrace-capacity-'));
const home = path.join(folder, 'Qwen3-8B-FP8');
let server: Server;
let origin: string;

beforeAll(async () => {
  mkdirSync(home);
  writeFileSync(path.join(home, 'config.json'), CONFIG);
  writeFileSync(path.join(home, 'marked.json'), `\uFEFF${CONFIG}`);
  writeFileSync(
    path.join(home, 'python.json'),
    CONFIG.replace('{', '{"time_step_limit": [0.0, Infinity], "said": "-Infinity, \\"NaN", "eps": NaN,'),
  );
  writeFileSync(path.join(folder, 'page.json'), '<!doctype html>');
  writeFileSync(path.join(folder, 'unended.json'), `"${String.raw`\"`.repeat(1_000_000)}`);
  writeFileSync(path.join(folder, 'strange.json'), '{"num_hidden_layers": 4}');
  server = createServer((request, response) => {
    if (request.url === '/Qwen/Qwen3-8B-FP8/resolve/main/config.json') response.end(CONFIG);
    else if (request.url === '/moved') response.writeHead(307, { location: '/Qwen/Qwen3-8B-FP8/resolve/main/config.json' }).end();
    else if (request.url === '/elsewhere') response.writeHead(302, { location: 'http://192.0.2.1/config.json' }).end();
    else if (request.url === '/circle') response.writeHead(302, { location: '/circle' }).end();
    else if (request.url === '/page') response.end('<!doctype html><title>a hub</title>');
    else if (request.url === '/endless') response.end(' '.repeat(5 * 1024 * 1024));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function capacity(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const ran = { out: '', err: '' };
  const writers = { writeOut: (text: string) => (ran.out += text), writeErr: (text: string) => (ran.err += text) };
  const code = await run(['node', 'capacity', ...argv], writers);
  return { code, ...ran };
}

const ONE = ['--model', 'qwen/qwen3-8b', '--gpu', 'rtx-4090', '--weights', 'fp8', '--kv', 'turboquant_4bit_nc', '--context', '32768'];

describe('--json', () => {
  it('has every field of the contract, as numbers', async () => {
    const { code, out } = await capacity(...ONE, '--json');
    const answer = JSON.parse(out) as Record<string, unknown>;
    expect(code).toBe(0);
    expect(answer).toMatchObject({ kvBytesPerToken: 50_688, kvBytesPerSequence: 50_688 * 32_768, sequences: 6 });
    for (const field of ['weightsBytes', 'poolBytes', 'poolTokens', 'decodeTokensPerSecond', 'usdPerMillionOutputTokens']) {
      expect(answer[field], field).toBeTypeOf('number');
    }
    expect(answer.assumptions).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'utilization', value: 0.92 })]));
  });

  it('compares codecs in one object, with those that the model refuses', async () => {
    const { out } = await capacity('-m', 'deepseek-v3', '-g', 'h200x8', '--compare', '--json');
    const { codecs, refused } = JSON.parse(out) as { codecs: { kv: string }[]; refused: { kv: string[]; why: string }[] };
    expect(codecs.map(({ kv }) => kv)).toEqual(['bf16', 'fp8', 'fp8_ds_mla']);
    expect(refused.flatMap(({ kv }) => kv)).toContain('turboquant_4bit_nc');
  });

  it('takes --tp for the number of GPUs where nothing else says it', async () => {
    const { out } = await capacity('-m', 'llama-3.3-70b', '-g', 'h100', '--tp', '4', '--json');
    expect(JSON.parse(out)).toMatchObject({ gpuCount: 4, tensorParallel: 4, kvBytesPerToken: 327_680 / 4 });
  });

  it.each([
    ['bf16', 83_488],
    ['fp8', 166_992],
  ])('holds in a pool that the engine printed what it printed too: %s', async (kv, tokens) => {
    const { out } = await capacity('-m', 'qwen3-4b', '-g', 'l4', '--kv', kv, '--pool-gib', '11.47', '--json');
    const answer = JSON.parse(out) as { poolTokens: number; poolBytes: number; assumptions: { name: string }[] };
    expect(Math.abs(answer.poolTokens / tokens - 1)).toBeLessThan(0.001);
    expect(answer.poolBytes).toBe(Math.floor(11.47 * 2 ** 30));
    // A pool that is known leaves nothing to assume about where it came from.
    expect(answer.assumptions.map(({ name }) => name)).not.toContain('utilization');
  });

  it('takes nothing from such a pool for the workspace of a codec', async () => {
    const { out } = await capacity('-m', 'qwen3-8b', '-g', '4090', '--kv', 'turboquant_4bit_nc', '--pool-gib', '10', '--json');
    expect(JSON.parse(out)).toMatchObject({ poolBytes: 10 * 2 ** 30 });
    expect(out).not.toContain('codecWorkspaceGib');
  });

  it.each([
    ['llama-3.3-70b-instruct-fp8', 'fp8'],
    ['Qwen/Qwen2.5-7B-Instruct-AWQ', 'awq'],
    ['Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf', 'q4_k_m'],
    ['Qwen/Qwen3-8B', 'bf16'],
  ])('takes the weights to be what the name says: %s are %s', async (model, weights) => {
    expect(JSON.parse((await capacity('-m', model, '-g', 'h100', '--json')).out)).toMatchObject({ weights });
  });

  it('reads 32k as 32,768 tokens', async () => {
    expect(JSON.parse((await capacity('-m', 'qwen3-8b', '-g', 'h100', '-c', '32K', '--json')).out)).toMatchObject({
      contextTokens: 32_768,
    });
  });

  it('says where an engine would not divide the heads', async () => {
    const { out } = await capacity('-m', 'qwen2.5-7b', '-g', 'h100x8', '--json');
    expect(out).toContain('cannot be divided by 8: vllm refuses');
  });

  it('says an error as one object too', async () => {
    const { code, out } = await capacity('-m', 'qwen3-8b', '-g', 'rtx-4091', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ error: { message: "unknown GPU 'rtx-4091'; did you mean 'rtx-4090'?" } });
  });
});

describe('for people', () => {
  it('shows what fits, what limits it, the price of a token and every assumption', async () => {
    const { code, out } = await capacity(...ONE);
    expect(code).toBe(0);
    for (const part of ['220,336 tokens: 6 sequences of 32,768', 'limited by  the KV pool', '$/M output', 'utilization 0.92'])
      expect(out).toContain(part);
  });

  it('shows codecs with their quality, side by side', async () => {
    const { out } = await capacity('-m', 'qwen3-8b', '-g', '4090', '-w', 'fp8', '--compare');
    expect(out).toMatch(/turboquant_3bit_nc\s+heavy/);
    expect(out).toMatch(/bf16\s+lossless .* 1\.00×/);
    expect(out).not.toContain('q8_0');
  });

  it('shows the codecs of llama.cpp for a GGUF file', async () => {
    const { out } = await capacity('-m', 'qwen3-8b', '-g', '4090', '-w', 'q4_k_m', '--compare');
    expect(out).toContain('q8_0/q4_0');
    expect(out).not.toContain('turboquant');
  });

  it('says in words that weights do not fit, which is no error', async () => {
    const { code, out } = await capacity('-m', 'llama-3.3-70b', '-g', '4090');
    expect(code).toBe(0);
    expect(out).toContain('does not fit: the weights take 131.50 GiB');
  });

  it('says how long a sequence could be where the context is too long', async () => {
    const { code, out } = await capacity('-m', 'qwen3-32b', '-g', '4090', '-w', 'awq');
    expect(code).toBe(0);
    expect(out).toMatch(/cannot serve a context of 32,768: the longest sequence that fits has \d,\d{3} tokens/);
  });
});

describe('--model', () => {
  it.each([
    ['a folder', () => home],
    ['a file', () => path.join(home, 'config.json')],
    ['an address', () => `${origin}/Qwen/Qwen3-8B-FP8/resolve/main/config.json`],
    ['an address that has moved', () => `${origin}/moved`],
    ['a file with numbers that only Python writes', () => path.join(home, 'python.json')],
    ['a file that begins with a byte order mark', () => path.join(folder, 'Qwen3-8B-FP8', 'marked.json')],
  ])('may be %s: the weights are then those that were published', async (_title, model) => {
    const { code, out } = await capacity('-m', model(), '-g', 'rtx-4090', '--kv', 'fp8', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ weights: 'fp8', kvBytesPerToken: 73_728 });
  });

  it('is named after the folder or the repository', async () => {
    for (const model of [home, `${origin}/Qwen/Qwen3-8B-FP8/resolve/main/config.json`]) {
      expect(JSON.parse((await capacity('-m', model, '-g', 'rtx-4090', '--json')).out)).toMatchObject({ model: 'Qwen3-8B-FP8' });
    }
  });

  it.each([
    ['is not there', () => path.join(folder, 'nowhere.json'), 'ENOENT'],
    ['is not in its folder', () => folder, `${path.join(folder, 'config.json')}: ENOENT`],
    ['is a device that never ends', () => '/dev/zero', 'no regular file'],
    ['is a web page', () => path.join(folder, 'page.json'), 'it is a web page'],
    ['is one text without an end', () => path.join(folder, 'unended.json'), 'is not JSON'],
    ['leaves out its heads', () => path.join(folder, 'strange.json'), "no 'num_attention_heads'"],
    ['is not found', () => `${origin}/nowhere`, 'answers 404'],
    ['is the page of a hub', () => `${origin}/page`, 'give the address of the file itself'],
    ['never ends', () => `${origin}/endless`, 'more than'],
    ['goes round in circles', () => `${origin}/circle`, 'redirected more than 5 times'],
    ['is not encrypted', () => 'http://example.com/config.json', 'only https'],
    ['leads out of this machine unencrypted', () => `${origin}/elsewhere`, 'only https'],
    ['is a file by address', () => 'file:///etc/passwd', 'only https'],
    ['is unknown', () => 'qwen/qwen3-8bb', "did you mean 'qwen/qwen3-8b'?"],
  ])('that %s ends with one line and exit code 1', async (_title, model, message) => {
    const { code, err } = await capacity('-m', model(), '-g', 'rtx-4090');
    expect(code).toBe(1);
    expect(err.split('\n')[0]).toContain(message);
  });
});

describe('--state-bytes', () => {
  it('halves what the delta nets of a sequence keep, their convolutions left out', async () => {
    const bytesOf = async (...flags: string[]): Promise<number> => {
      const { out } = await capacity('-m', 'qwen3-next-80b-a3b', '-g', 'h100x2', '--weights', 'fp8', '--json', ...flags);
      return (JSON.parse(out) as { kvBytesPerSequence: number }).kvBytesPerSequence;
    };
    expect((await bytesOf()) - (await bytesOf('--state-bytes', '2'))).toBe((36 * 32 * 128 * 128 * 2) / 2);
  });
});

describe('bad input', () => {
  it.each([
    [['--kv', 'turbo5'], 1, "did you mean 'turbo4'?"],
    [['--weights', 'fp9'], 1, "did you mean 'fp8'?"],
    [['--kv', 'q8_0', '--engine', 'vllm'], 1, 'vllm has no KV codec q8_0'],
    [['--gpus', '3', '--tp', '2'], 1, '3 GPUs cannot be divided'],
    [['--engine', 'vlm'], 2, 'Allowed choices are'],
    [['--util', '1.5'], 2, 'above 0 and up to 1'],
    [['--context', '0'], 2, 'a whole number of tokens from 1'],
    [['--context', '1e9'], 2, 'such as 32768 or 32k'],
    [['--pool-gib', '-1'], 2, 'expected GiB'],
    [['--weights-gib', '-1'], 2, 'expected GiB'],
    [['--state-bytes', '3'], 2, 'Allowed choices are'],
    [['--price-per-hour', 'free'], 2, 'expected an amount in USD'],
  ])('%j ends with exit code %d', async (flags, exitCode, message) => {
    const { code, err } = await capacity('-m', 'qwen3-8b', '-g', '4090', ...flags);
    expect(code).toBe(exitCode);
    expect(err).toContain(message);
  });
});
