/** A node that comes again while others change what it would write over. */
import { beforeEach, describe, expect, it } from 'vitest';
import { openSupply, type Supply } from '../staged-supply.ts';
import { MANAGER, openOffice } from '../supply-office.ts';

const ENGINE = 'Qwen/Qwen3-8B-FP8';
const ID = 'rig';

let supply: Supply;
/** What happens between what joining reads and what it writes, once each. */
let meanwhile: (() => Promise<unknown> | void)[];
let office: ReturnType<typeof openOffice>;

beforeEach(async () => {
  supply = openSupply();
  supply.operator('op');
  meanwhile = [];
  office = openOffice(supply, {
    judgePrices: async (_, asked) => {
      await meanwhile.shift()?.();
      return asked.map(() => ({ kind: 'charged' as const }));
    },
  });
  await office.rejoin('rig', { max_concurrency: 4 });
  supply.exec(`UPDATE registrations SET state = 'active' WHERE endpoint_id = '${ID}'`);
});

const declared = async () => {
  const { endpoint, registration } = await supply.read(ID);
  const { maxConcurrency, jurisdiction, dataPolicy } = endpoint;
  return {
    maxConcurrency,
    jurisdiction,
    retention: (dataPolicy as { retention_days: number | null }).retention_days,
    state: registration.state,
  };
};

describe('a node that comes again', () => {
  it('loses neither what a manager changes at the same moment nor what it says itself', async () => {
    meanwhile = [
      () => office.patch(ID, { jurisdiction: ['DE'], data_policy: { trains: false, retention_days: 0, source: 'operator' } }, MANAGER),
    ];
    await office.rejoin('rig', { models: [ENGINE], max_concurrency: 9 });
    expect(await declared()).toEqual({ maxConcurrency: 9, jurisdiction: ['DE'], retention: 0, state: 'active' });
  });

  it('stays in the quarantine that begins at the same moment', async () => {
    meanwhile = [() => office.patch(ID, { state: 'quarantined' }, MANAGER)];
    await office.rejoin('rig', { max_concurrency: 9 });
    expect(await declared()).toMatchObject({ maxConcurrency: 9, state: 'quarantined' });
  });

  it('stays drained where it is drained at the same moment', async () => {
    meanwhile = [() => supply.exec("UPDATE nodes SET drained = 1 WHERE id = 'rig'")];
    await office.rejoin('rig', { max_concurrency: 9 });
    expect(supply.rows("SELECT drained FROM nodes WHERE id = 'rig'")).toEqual([{ drained: 1 }]);
  });

  it('gives up where its endpoints are changed again and again, and has written nothing', async () => {
    const change = (times: number) => () => office.patch(ID, { jurisdiction: [['DE', 'FR'][times % 2] as string] }, MANAGER);
    meanwhile = Array.from({ length: 10 }, (_, times) => change(times));
    await expect(office.rejoin('rig', { max_concurrency: 9 })).rejects.toMatchObject({ code: 'conflict' });
    expect(await declared()).toMatchObject({ maxConcurrency: 4 });
  });
});
