/** What an operator that was found out begins with when it comes back. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ModelComparison } from '#schema/probe';
import { writeComparison } from '#src/nodes/probe/comparing-store';
import { judge } from '#src/nodes/probe/judge';
import { readGraduates } from '#src/nodes/probe/probing-store';
import { REMEMBERED_MS } from '#src/nodes/register/quarantine-store';
import { NOW_MS } from '#test/support/fake-clock';
import { reportOf } from '../probe/reports.ts';
import { openSupply, type Supply } from '../staged-supply.ts';
import { MANAGER, MODEL, openOffice, OPERATOR } from '../supply-office.ts';

const DAY_MS = 24 * 3_600_000;
const ELSEWHERE = 'https://elsewhere.example/v1';
const DIFFERS: ModelComparison = {
  at: new Date(NOW_MS - DAY_MS).toISOString(),
  verdict: 'differs',
  distance: 0.7,
  tolerance: 0.2,
  references: 1,
  differed: 1,
};
const CAUGHT = 'first of the same operator was quarantined for this model: a manager has to vouch for this one';

let supply: Supply;
let nowMs: number;
let office: ReturnType<typeof openOffice>;
beforeEach(() => {
  supply = openSupply();
  supply.operator('op', { cleanCompletions: 5_000 });
  supply.operator('other');
  nowMs = NOW_MS;
  office = openOffice(supply, { now: () => nowMs });
});

const standing = async (id: string) => {
  const { registration } = await supply.read(id);
  return { state: registration.state, reason: registration.reason, comparison: registration.seen?.comparison };
};
/** An endpoint of the model that serves, and was compared so. */
async function serving(id: string, comparison?: ModelComparison): Promise<void> {
  await office.register(id);
  const seen = JSON.stringify(reportOf(comparison && { comparison }));
  supply.exec(`UPDATE registrations SET state = 'active', seen = '${seen}', updated_at_ms = updated_at_ms + 1 WHERE endpoint_id = '${id}'`);
}
const quarantine = (id: string) => office.patch(id, { state: 'quarantined' }, MANAGER);

describe('an operator whose endpoint is in quarantine', () => {
  beforeEach(async () => {
    await serving('first');
    await quarantine('first');
  });

  it('V3: begins in quarantine with the model wherever it comes back, left or not, and it is shown why', async () => {
    await office.register('second', { url: ELSEWHERE });
    expect(await standing('second')).toMatchObject({ state: 'quarantined', reason: CAUGHT });
    await office.retire(OPERATOR, 'first');
    await office.retire(OPERATOR, 'second');
    await office.register('third', { url: 'https://elsewhere.example/other', upstream_model: 'renamed' });
    expect((await standing('third')).state).toBe('quarantined');
    await office.rejoin('node-of-it');
    expect((await standing('node-of-it')).state).toBe('quarantined');
  });

  it('V3: makes no other endpoint into the one that it was', async () => {
    await office.register('clean', { url: ELSEWHERE, model: 'another/model' });
    expect((await standing('clean')).state).toBe('pending');
    await office.patch('clean', { model: MODEL });
    expect(await standing('clean')).toMatchObject({ state: 'quarantined', reason: CAUGHT });
  });

  it('is one for ninety days after it has left, and begins anew with each that it leaves', async () => {
    await office.retire(OPERATOR, 'first');
    nowMs += REMEMBERED_MS + 1;
    await office.register('later', { url: ELSEWHERE });
    expect((await standing('later')).state).toBe('pending');
  });

  it('V3: is one for ninety days after it has left, however long it has lasted', async () => {
    nowMs += REMEMBERED_MS + 1;
    await office.retire(OPERATOR, 'first');
    nowMs += REMEMBERED_MS - 1;
    await office.register('second', { url: ELSEWHERE });
    expect(await standing('second')).toMatchObject({ state: 'quarantined', reason: CAUGHT });
  });

  it('V3: does not lose it by making another model of the name', async () => {
    await office.retire(OPERATOR, 'first');
    await expect(office.register('first', { url: ELSEWHERE, model: 'another/model', upstream_model: 'renamed' })).rejects.toMatchObject({
      code: 'conflict',
      param: 'model',
      message: expect.stringContaining(`found out as ${MODEL}`),
    });
    await office.register('second', { url: ELSEWHERE });
    expect((await standing('second')).state).toBe('quarantined');
  });

  it('is not one with what has served the model before, though its host or its weights are others now', async () => {
    await serving('sibling');
    await office.patch('sibling', { upstream_model: 'engine-sibling-int4' });
    expect((await standing('sibling')).state).toBe('probing');
    await office.patch('sibling', { url: ELSEWHERE });
    expect((await standing('sibling')).state).toBe('pending');
    await office.retire(OPERATOR, 'first');
    await office.patch('sibling', { url: 'https://gpu.example/first' });
    expect((await standing('sibling')).state).toBe('quarantined');
  });

  it('is none with another model, nor is another operator', async () => {
    await office.register('differs', { url: ELSEWHERE, model: 'another/model' });
    expect((await standing('differs')).state).toBe('pending');
    await office.register(
      'others',
      { url: 'https://elsewhere.example/v2', upstream_model: 'engine-first' },
      { ...OPERATOR, operatorId: 'other' },
    );
    expect((await standing('others')).state).toBe('pending');
  });

  it('comes out where a manager vouches for what has come back, and for that alone', async () => {
    await office.register('second', { url: ELSEWHERE });
    await expect(office.patch('second', { vouched: true })).rejects.toMatchObject({ code: 'permission_denied' });
    await office.patch('second', { vouched: true }, MANAGER);
    expect((await supply.read('second')).registration).toMatchObject({
      state: 'probing',
      challenge: null,
      vouchedBy: 'key-admin',
      failedProbes: 0,
    });
    expect((await standing('first')).state).toBe('quarantined');
    await office.register('third', { url: 'https://elsewhere.example/v3' });
    expect((await standing('third')).state).toBe('quarantined');
  });

  it('is none where failed probes have begun it: what comes elsewhere is probed as well', async () => {
    supply.exec("UPDATE registrations SET failed_probes = 3 WHERE endpoint_id = 'first'");
    await office.register('second', { url: ELSEWHERE });
    expect((await standing('second')).state).toBe('pending');
  });
});

describe('an operator whose endpoint has differed once', () => {
  beforeEach(() => serving('first', DIFFERS));

  it('V3: has it stand against what comes back elsewhere, by name and by node', async () => {
    await office.retire(OPERATOR, 'first');
    await office.register('second', { url: ELSEWHERE });
    expect(await standing('second')).toMatchObject({ state: 'pending', comparison: { ...DIFFERS, of: 'first' } });
    await office.rejoin('node-of-it');
    expect((await standing('node-of-it')).comparison).toMatchObject({ differed: 1, of: 'first' });
    // From one to the next it is the same difference: it grows no younger.
    supply.exec("UPDATE registrations SET state = 'active' WHERE endpoint_id = 'second'");
    await office.retire(OPERATOR, 'second');
    nowMs += REMEMBERED_MS;
    await office.register('third', { url: 'https://elsewhere.example/v3' });
    expect((await standing('third')).comparison).toBeUndefined();
  });

  it('V3: has it stand when it registers the same name again, and when another endpoint becomes one of the model', async () => {
    await office.retire(OPERATOR, 'first');
    await office.register('first');
    expect((await standing('first')).comparison).toEqual(DIFFERS);
    await office.register('clean', { url: ELSEWHERE, model: 'another/model' });
    await office.patch('clean', { model: MODEL });
    expect((await standing('clean')).comparison).toMatchObject({ differed: 1, of: 'first' });
  });

  it('V3: does not lose it by making another model of the name, standing or retired, or of the node', async () => {
    const renamed = { model: 'another/model', upstream_model: 'renamed' };
    await expect(office.patch('first', renamed)).rejects.toMatchObject({ code: 'conflict', param: 'model' });
    await office.retire(OPERATOR, 'first');
    await expect(office.register('first', renamed)).rejects.toMatchObject({ code: 'conflict', param: 'model' });
    await office.rejoin('rig');
    supply.exec(`UPDATE registrations SET seen = '${JSON.stringify(reportOf({ comparison: DIFFERS }))}' WHERE endpoint_id = 'rig'`);
    await expect(office.rejoin('rig', {}, 'another/model')).rejects.toMatchObject({ code: 'conflict', param: 'models.0.model' });
    await office.register('second', { url: ELSEWHERE });
    expect((await standing('second')).comparison).toMatchObject({ differed: 1 });
  });

  it('has it stand no longer where a manager vouches for that endpoint, nor does it keep the model then', async () => {
    await office.patch('first', { vouched: true }, MANAGER);
    await office.register('second', { url: ELSEWHERE });
    expect((await standing('second')).comparison).toBeUndefined();
    await office.patch('first', { model: 'another/model' });
    expect((await supply.read('first')).endpoint.modelId).toBe('another/model');
  });

  it('has it stand against the model by the engine’s name too, and may change that', async () => {
    await office.patch('first', { upstream_model: 'engine-first-int4' });
    expect((await standing('first')).comparison).toEqual(DIFFERS);
  });

  it('V3: passes on what was found out, not what was passed on: where the first has agreed since, nothing stands', async () => {
    await office.register('second', { url: ELSEWHERE });
    const agrees = { ...DIFFERS, at: new Date(nowMs).toISOString(), verdict: 'agrees' as const, distance: 0, differed: 0 };
    await writeComparison(supply.db, await supply.read('first'), agrees, nowMs);
    await office.register('third', { url: 'https://elsewhere.example/v3' });
    expect((await standing('third')).comparison).toBeUndefined();
  });

  it.each([
    ['text', 1, 1],
    ['text', 2, 2],
    ['text', 3, 2],
    [undefined, 1, 1],
    [undefined, 2, 1],
  ] as const)('V3: begins one difference before its quarantine at most, by %s after %i with %i', async (by, differed, inherited) => {
    const found = { ...DIFFERS, differed, ...(by && { by }) };
    supply.exec(`UPDATE registrations SET seen = '${JSON.stringify(reportOf({ comparison: found }))}' WHERE endpoint_id = 'first'`);
    await office.register('second', { url: ELSEWHERE });
    expect((await standing('second')).comparison).toEqual({ ...found, differed: inherited, of: 'first' });
  });

  it('V3: gets no traffic with what comes back, says why, and is promoted by no count, until a comparison agrees', async () => {
    await office.register('second', { url: ELSEWHERE });
    const { registration, operator } = await supply.read('second');
    const judged = judge({
      state: 'probing',
      failedProbes: 0,
      isVouchedFor: false,
      operator: operator ?? { teamId: null, cleanCompletions: 0 },
      before: registration.seen,
      expectedBefore: null,
      report: reportOf(),
      node: null,
      nowMs,
      random: 0.5,
    });
    expect(judged).toMatchObject({
      state: 'probation',
      reason: expect.stringMatching(/^its model: first of the same operator has answered/),
    });
    supply.exec(`UPDATE registrations SET state = 'probation', seen = '${JSON.stringify(judged.seen)}' WHERE endpoint_id = 'second'`);
    expect(await readGraduates(supply.db, 1_000, 9)).toEqual([]);
    const agrees = {
      at: new Date(nowMs).toISOString(),
      verdict: 'agrees',
      distance: 0,
      tolerance: 0.2,
      references: 1,
      differed: 0,
    } as const;
    await writeComparison(supply.db, await supply.read('second'), agrees, nowMs);
    expect(await standing('second')).toEqual({ state: 'probation', reason: null, comparison: agrees });
    expect(supply.catalogueVersion()).not.toBe('one');
    expect(await readGraduates(supply.db, 1_000, 9)).toEqual(['second']);
  });

  it('V3: is quarantined by the next difference, whichever endpoint of it differs', async () => {
    await office.register('second', { url: ELSEWHERE });
    supply.exec("UPDATE registrations SET state = 'probation' WHERE endpoint_id = 'second'");
    const next = { ...DIFFERS, at: new Date(nowMs).toISOString(), differed: 2 };
    await writeComparison(supply.db, await supply.read('second'), next, nowMs);
    expect((await standing('second')).state).toBe('quarantined');
  });

  it('begins anew where a manager ends its quarantine', async () => {
    await quarantine('first');
    await office.patch('first', { state: 'active' }, MANAGER);
    expect(await standing('first')).toMatchObject({ state: 'probing', comparison: undefined });
  });
});

describe('an endpoint that becomes another', () => {
  it('V3: is not believed for what another place answered, though it moves while it is compared', async () => {
    await serving('first');
    const compared = await supply.read('first');
    await office.patch('first', { url: 'https://gpu.example/first/other' });
    supply.exec("UPDATE registrations SET state = 'active' WHERE endpoint_id = 'first'");
    const agrees = { ...DIFFERS, verdict: 'agrees' as const, distance: 0, differed: 0 };
    expect(await writeComparison(supply.db, compared, agrees, nowMs)).toBeNull();
    expect((await standing('first')).comparison).toBeUndefined();
  });

  it('V3: is compared anew: that it agreed was said of the former one', async () => {
    await serving('first', { ...DIFFERS, verdict: 'agrees', differed: 0 });
    await office.patch('first', { max_concurrency: 2 });
    expect((await standing('first')).comparison?.verdict).toBe('agrees');
    await office.patch('first', { upstream_model: 'another' });
    expect((await standing('first')).comparison).toBeUndefined();
    expect((await supply.read('first')).registration.seen?.speed).toEqual(reportOf().speed);
  });
});
