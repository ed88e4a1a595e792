import { describe, expect, it } from 'vitest';
import { scrub } from '#providers/wire/scrub';

describe('scrub', () => {
  it.each([
    'Incorrect API key provided: sk-proj-abcdEFGH1234. You can find it in your account.',
    'Incorrect API key provided: sk-ab**********wxyz.',
    'header was Bearer abc.def-123',
    'Authorization: Basic dXNlcjpwYXNz',
    'cpk_1234abcd.5678 is disabled',
    'token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl expired',
    'api_key="hunter2hunter2" refused',
    'project 0f8fad5b-d9cb-469f-a165-70867728950e is disabled',
    'unknown credential 0f8fad5bd9cb469fa16570867728950e',
  ])('K4: removes the key from %j', (text) => {
    const clean = scrub(text);
    expect(clean).toContain('[key]');
    expect(clean).not.toMatch(/abcd|wxyz|abc\.def|dXNl|5678|eyJ|hunter2|0f8fad5b/);
  });

  it('K4: removes our own key however it looks', () => {
    expect(scrub('no such user: hunter', 'hunter')).toBe('no such user: [key]');
  });

  it.each([
    'connect to http://10.1.2.3:8000/v1 failed',
    'upstream 10.1.2.3:8000 refused',
    'connect ECONNREFUSED 127.0.0.1:9101',
    'host gpu-7.rack3.internal is down',
    'no route to vllm-0.llm.svc.cluster.local:8000',
    'vllm-0:8000 is not ready',
    'peer [fe80::1ff:fe23:4567:890a]:443 reset',
    'localhost:3000 gave up',
    'see https://status.example.com/x?key=1',
    'open /srv/models/llama/config.json failed',
  ])('P6: removes the address from %j', (text) => {
    const clean = scrub(text);
    expect(clean).toMatch(/\[(?:url|address|path)\]/);
    expect(clean).not.toMatch(/10\.1|127\.0|gpu-7|vllm-0|fe80|localhost|example|srv|8000|9101/);
  });

  it('P6: removes control characters and keeps one line', () => {
    expect(scrub('a\r\nb\u0000c\u001b[31m\u2028d\u202Ee')).toBe('a b c [31m d e');
  });

  it('removes long quotations, which are likely to be prompts', () => {
    expect(scrub(`bad input "${'my secret diary '.repeat(8)}" here`)).toBe('bad input [text] here');
  });

  it.each([
    "This model's maximum context length is 8192 tokens, got 9000 (zai-org/GLM-5.3-FP8).",
    'token_limit_exceeded: max_tokens: 99999 is too large',
    'The model Qwen/Qwen3-235B-A22B-Instruct-2507 does not exist',
    'accounts/fireworks/models/glm-5p3 is overloaded',
  ])('keeps the plain words, numbers and model names of %j', (text) => {
    expect(scrub(text)).toBe(text);
  });

  it('keeps at most 300 characters of well-formed text', () => {
    const clean = scrub('🌊 '.repeat(500));
    expect(clean.length).toBeLessThanOrEqual(300);
    expect(clean.isWellFormed()).toBe(true);
  });

  it('is quick on a hostile 64 KiB text and never keeps half of a cut key', () => {
    const clean = scrub(`${'x '.repeat(140)}${'http://a/'.repeat(7000)} sk-tail`);
    expect(clean).not.toContain('sk-');
    expect(scrub(`${'a:'.repeat(32_000)}`).length).toBeLessThanOrEqual(300);
  });
});
