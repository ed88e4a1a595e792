import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GatewayError } from '#schema/error';
import { chatRequest } from '#schema/chat';
import { readContract } from '#schema/read-contract';
import { createAdmission, type Asked, type Gate } from '#src/admission/admission';
import { chatFacts } from '#src/admission/facts';
import { hashToken } from '#src/admission/token';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';

const START_MS = Date.UTC(2026, 10, 22);
const TOKEN = 'sk-hr-abcdefghijklmnop';
const MANAGER = 'sk-hr-mgmt-abcdefghij';
const BODY = { model: 'qwen/qwen3-8b', messages: [{ role: 'user', content: 'hi' }] };

let d1: SqliteD1;
let gate: Gate;
let nowMs: number;
let secrets: Record<string, string>;
let background: Promise<unknown>[];
let logged: Record<string, unknown>[];

const waitUntil = (work: Promise<unknown>) => void background.push(work);

function insertKey(token: string, row: Record<string, unknown> = {}): void {
  d1.insert('keys', {
    id: `key-${token}`,
    hash: hashToken(token),
    label: 'sk-hr-ab…op',
    name: 'ci',
    team_id: 'research',
    kind: 'inference',
    disabled: false,
    source: 'manifest',
    created_at_ms: 1,
    updated_at_ms: 1,
    ...row,
  });
}

async function refusalOf(work: Promise<unknown>): Promise<{ code: string; message: string; param: string | null; status: number }> {
  const error = await work.then(
    () => undefined,
    (thrown: GatewayError) => thrown,
  );
  if (!error) throw new Error('expected a refusal');
  return { code: error.code, message: error.message, param: error.param, status: error.status };
}

async function settleBackground(): Promise<void> {
  while (background.length > 0) await background.shift();
}

beforeEach(() => {
  vi.useFakeTimers();
  nowMs = START_MS;
  secrets = {};
  background = [];
  logged = [];
  d1 = openSqliteD1();
  d1.insert('teams', { id: 'research', policy: 'private', budget_nano_usd: 5e9, budget_period: 'day', created_at_ms: 1 });
  d1.insert('policies', {
    name: 'private',
    version: 7,
    document: { privacy: { min_tier: 'no_training' }, models: { fallbacks: { 'qwen/qwen3-8b': ['qwen/qwen3-14b', 'openai/big'] } } },
    source: 'manifest',
    updated_at_ms: 1,
  });
  d1.insert('policies', { name: 'quick', version: 2, document: { optimize: 'latency' }, source: 'manifest', updated_at_ms: 1 });
  insertKey(TOKEN);
  gate = createAdmission({ db: d1.db, now: () => nowMs, log: (event) => void logged.push(event), secret: (name) => secrets[name] });
});

afterEach(() => vi.useRealTimers());

function asked(body: unknown): Asked {
  const request = readContract(chatRequest, body);
  return { request, toFacts: (of) => chatFacts(request, of) };
}

const admit = async (body: unknown, headers: Record<string, string> = {}) =>
  gate.admit({
    caller: await gate.authenticate(TOKEN, waitUntil),
    read: () => asked(body),
    headers: new Headers(headers),
    canonicalModel: (name) => (name === 'gpt' ? 'openai/gpt' : name),
    waitUntil,
  });

describe('authentication', () => {
  it('finds the caller with team and budget', async () => {
    expect(await gate.authenticate(TOKEN, waitUntil)).toMatchObject({
      kind: 'inference',
      team: { id: 'research', policy: 'private', budget: { nanoUsd: 5e9, period: 'day' } },
      models: null,
    });
  });

  it('K6: unknown, misshapen, missing, disabled, expired and orphaned keys get the same answer', async () => {
    insertKey('sk-hr-disabled-123456', { disabled: true });
    insertKey('sk-hr-expired-1234567', { expires_at_ms: START_MS });
    insertKey('sk-hr-orphaned-123456', { team_id: 'gone' });
    const tokens = [
      null,
      '',
      'x',
      'sk-hr-short',
      'sk-or-v1-abcdefghijkl',
      `sk-hr-${'a'.repeat(300)}`,
      'sk-hr-with space in it',
      "sk-hr-' or 1=1 --abcd",
    ];
    tokens.push('sk-hr-unknown-1234567', 'sk-hr-disabled-123456', 'sk-hr-expired-1234567', 'sk-hr-orphaned-123456');
    const answers = await Promise.all(tokens.map((token) => refusalOf(gate.authenticate(token, waitUntil))));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ code: 'invalid_api_key', status: 401 });
  });

  it('a key that expires while it is cached is refused at once', async () => {
    insertKey('sk-hr-soon-1234567890', { expires_at_ms: START_MS + 1000 });
    await gate.authenticate('sk-hr-soon-1234567890', waitUntil);
    nowMs += 1000;
    expect((await refusalOf(gate.authenticate('sk-hr-soon-1234567890', waitUntil))).code).toBe('invalid_api_key');
  });

  it('asks D1 once for many requests, and shares the first look-up', async () => {
    await Promise.all(Array.from({ length: 20 }, () => gate.authenticate(TOKEN, waitUntil)));
    await gate.authenticate(TOKEN, waitUntil);
    expect(d1.statements()).toBe(1);
  });

  it('K7: a revoked key in steady use stops within 60 s and no request waits for the check', async () => {
    await gate.authenticate(TOKEN, waitUntil);
    d1.exec('update keys set disabled = 1');
    let servedUntilMs = nowMs;
    for (; nowMs < START_MS + 60_000; nowMs += 1000) {
      const isServed = await gate.authenticate(TOKEN, waitUntil).then(
        () => true,
        () => false,
      );
      if (isServed) servedUntilMs = nowMs;
      await settleBackground();
    }
    expect(servedUntilMs - START_MS).toBeLessThan(30_000);
  });

  it('K7: an idle key is looked up again after its lifetime', async () => {
    await gate.authenticate(TOKEN, waitUntil);
    d1.exec('update keys set disabled = 1');
    nowMs += 30_000;
    expect((await refusalOf(gate.authenticate(TOKEN, waitUntil))).code).toBe('invalid_api_key');
  });

  it('a key made just now works within 5 s of having been refused', async () => {
    const token = 'sk-hr-fresh-123456789';
    await refusalOf(gate.authenticate(token, waitUntil));
    insertKey(token);
    nowMs += 5_000;
    expect((await gate.authenticate(token, waitUntil)).keyId).toBe(`key-${token}`);
  });

  it('R13: while D1 fails a known key is served for less than 60 s, then the answer is 503 with Retry-After', async () => {
    await gate.authenticate(TOKEN, waitUntil);
    d1.behave('fails');
    nowMs = START_MS + 58_000;
    await gate.authenticate(TOKEN, waitUntil);
    nowMs = START_MS + 59_999;
    expect(await refusalOf(gate.authenticate(TOKEN, waitUntil))).toMatchObject({ code: 'ledger_unavailable', status: 503 });
    expect(JSON.stringify(logged)).not.toContain(TOKEN);
  });

  it('R13: a hanging D1 is time-boxed', async () => {
    d1.behave('hangs');
    const answer = refusalOf(gate.authenticate(TOKEN, waitUntil));
    await vi.advanceTimersByTimeAsync(2_000);
    expect((await answer).code).toBe('ledger_unavailable');
    d1.behave('answers');
    nowMs += 2_000;
    expect((await gate.authenticate(TOKEN, waitUntil)).name).toBe('ci');
  });

  it('I12: a flood of unknown keys does not push out a known one', async () => {
    await gate.authenticate(TOKEN, waitUntil);
    for (let i = 0; i < 10_100; i++) await refusalOf(gate.authenticate(`sk-hr-flood-${String(i).padStart(10, '0')}`, waitUntil));
    const before = d1.statements();
    await gate.authenticate(TOKEN, waitUntil);
    expect(d1.statements()).toBe(before);
  });

  it('K12: lets the first key of a deployment manage while no other can, and nothing that only looks like one', async () => {
    secrets = { HEADRACE_ADMIN_KEY: MANAGER };
    expect(await gate.authenticate(MANAGER, waitUntil)).toMatchObject({ kind: 'management', team: null, keyId: 'key-first' });
    for (const wrong of ['sk-hr-mgmt-abcdefghik', 'sk-hr-abcdefghijklmnoq'])
      expect(await refusalOf(gate.authenticate(wrong, waitUntil))).toMatchObject({ code: 'invalid_api_key' });
    secrets = { HEADRACE_ADMIN_KEY: 'sk-hr-inference-key-0000' };
    expect(await refusalOf(gate.authenticate('sk-hr-inference-key-0000', waitUntil))).toMatchObject({ code: 'invalid_api_key' });
  });

  it('K14: closes that door as soon as a management key is stored, and opens nothing with one that was disabled', async () => {
    secrets = { HEADRACE_ADMIN_KEY: MANAGER };
    insertKey('sk-hr-mgmt-another-one', { kind: 'management', team_id: null });
    expect(await refusalOf(gate.authenticate(MANAGER, waitUntil))).toMatchObject({ code: 'invalid_api_key' });
    insertKey(MANAGER, { kind: 'management', team_id: null, disabled: true });
    gate.forgetAll();
    expect(await refusalOf(gate.authenticate(MANAGER, waitUntil))).toMatchObject({ code: 'invalid_api_key' });
  });
});

describe('admission', () => {
  it('resolves the policy that is attached, and says what was asked', async () => {
    const admitted = await admit({ ...BODY, model: 'qwen/qwen3-8b:nitro' });
    expect(admitted).toMatchObject({
      team: { id: 'research' },
      policy: { name: 'private', version: 7, minTier: 'no_training', sort: 'throughput' },
      facts: { teamId: 'research', stream: false },
      request: { model: 'qwen/qwen3-8b:nitro' },
      models: ['qwen/qwen3-8b', 'qwen/qwen3-14b', 'openai/big'],
    });
  });

  it('a policy named in the request, by field or header, tightens and never replaces', async () => {
    const byHeader = await admit(BODY, { 'x-headrace-policy': 'quick' });
    expect(byHeader.policy).toMatchObject({ name: 'quick', optimize: 'latency', minTier: 'no_training' });
    const byField = await admit({ ...BODY, provider: { policy: 'quick' } }, { 'x-headrace-policy': 'nosuch' });
    expect(byField.policy.name).toBe('quick');
    expect(await refusalOf(admit(BODY, { 'x-headrace-policy': 'nosuch' }))).toMatchObject({
      code: 'invalid_request',
      param: 'provider.policy',
    });
  });

  it('K9: a key limited to some models reaches no other, neither by alias, fallback list nor policy fallback', async () => {
    d1.exec(`update keys set models = '["qwen/*"]'`);
    expect((await admit(BODY)).models).toEqual(['qwen/qwen3-8b', 'qwen/qwen3-14b']);
    for (const body of [
      { ...BODY, model: 'openai/gpt' },
      { ...BODY, model: 'gpt' },
      { ...BODY, models: ['openai/gpt'] },
      { ...BODY, model: 'openai/gpt:floor' },
    ]) {
      expect(await refusalOf(admit(body))).toMatchObject({ code: 'permission_denied', status: 403, param: 'model' });
    }
  });

  it('I3: a model named like a method of Object is only a name', async () => {
    expect((await admit({ ...BODY, model: 'constructor' })).models).toEqual(['constructor']);
    expect((await admit({ ...BODY, model: '__proto__' })).models).toEqual(['__proto__']);
  });

  it('K11: a management key never infers', async () => {
    insertKey(MANAGER, { kind: 'management', team_id: null });
    const caller = await gate.authenticate(MANAGER, waitUntil);
    const refused = gate.admit({ caller, read: () => asked(BODY), headers: new Headers(), canonicalModel: (name) => name, waitUntil });
    expect(await refusalOf(refused)).toMatchObject({ code: 'permission_denied', status: 403 });
  });

  it(':free is a fact, and a deployment default applies to teams without a policy', async () => {
    d1.exec(`update teams set policy = null`);
    d1.insert('meta', { name: 'default_policy', value: 'quick' });
    const admitted = await admit({ ...BODY, model: 'qwen/qwen3-8b:free' });
    expect(admitted.facts.freeOnly).toBe(true);
    expect(admitted.policy).toMatchObject({ name: 'quick', optimize: 'latency' });
  });
});
