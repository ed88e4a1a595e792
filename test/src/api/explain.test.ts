import { describe, expect, it } from 'vitest';
import { replayBody } from '#schema/answers/plan';
import type { PlanCandidate, PlanInputs, PlanRecord } from '#schema/receipt';
import type { Hall } from '#src/serve';
import { fakeApp, MANAGER, receipt, TOKEN } from './fake-hall.ts';

const CANDIDATE: PlanCandidate = {
  endpointId: 'e1',
  provider: 'alpha',
  tag: 'alpha',
  supply: 'subnet',
  tier: 'open',
  rank: 1,
  index: 1.5,
  terms: { price: 1, ttft: 0.5, ttftMiss: 0, tpot: 0, verification: 0, risk: 0 },
  costNanoUsd: 1500,
  ttftMs: 200,
  tpotMs: 9,
  failureProbability: 0.02,
  cacheHit: 0,
  load: null,
  gates: [],
};
const INPUTS: PlanInputs = {
  facts: {
    ...receipt.plan.facts,
    needs: [],
    teamId: 'research',
    operation: 'chat',
    choices: 1,
    wants: [],
    signedBy: [],
    reasoning: false,
    freeOnly: false,
  },
  policy: {},
  models: ['qwen/qwen3-8b'],
  roll: 0,
  home: null,
  readings: [null, null],
};
const PLAN: PlanRecord = {
  ...receipt.plan,
  candidates: [CANDIDATE, { ...CANDIDATE, endpointId: 'e2', rank: 2 }],
  inputs: INPUTS,
};

function replaying(replayed: PlanRecord, changes: Partial<Hall> = {}) {
  const findReceipt: Hall['findReceipt'] = async (_team, id) => (id === 'gen-1' ? { ...receipt, plan: PLAN } : null);
  const { send } = fakeApp({ findReceipt, replay: async () => replayed, ...changes });
  return (id: string, token = TOKEN) =>
    send(`/v1/explain?generation=${id}`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
}

describe('POST /explain?generation=', () => {
  it('makes the plan of a receipt again, without a body', async () => {
    const response = await replaying(PLAN)('gen-1');
    expect(response.status).toBe(200);
    const body = replayBody.parse(await response.json());
    expect(body).toMatchObject({
      object: 'replay',
      generation: 'gen-1',
      same_snapshot: true,
      same_order: true,
      recorded: ['e1', 'e2'],
      replayed: ['e1', 'e2'],
      plan: { object: 'plan', candidates: [{ endpoint: 'e1' }, { endpoint: 'e2' }] },
    });
  });

  it('says when the catalogue or the order is another', async () => {
    const changed = { ...PLAN, snapshotVersion: 'v2', candidates: PLAN.candidates.toReversed() };
    expect(await (await replaying(changed)('gen-1')).json()).toMatchObject({
      same_snapshot: false,
      same_order: false,
      recorded: ['e1', 'e2'],
      replayed: ['e2', 'e1'],
    });
  });

  it.each([
    ['gen-unknown', TOKEN, 404, 'not_found'],
    ['gen-1', MANAGER, 403, 'permission_denied'],
    ['gen-1', 'sk-hr-unknown-0000000000000000', 401, 'invalid_api_key'],
  ])('refuses %s with %s', async (id, token, status, code) => {
    const response = await replaying(PLAN)(id, token);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code: status, metadata: { headrace_code: code } } });
  });

  it('does not tell another team’s generation from none', async () => {
    const foreign = replaying(PLAN, { findReceipt: async () => ({ ...receipt, teamId: 'other', plan: PLAN }) });
    expect((await foreign('gen-1')).status).toBe(404);
  });

  it('says that a receipt holds no inputs', async () => {
    const response = await replaying(PLAN, { findReceipt: async () => receipt })('gen-1');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param: 'generation', metadata: { headrace_code: 'invalid_request' } } });
  });
});
