import { beforeEach, describe, expect, it } from 'vitest';
import { createAdmission, type Gate } from '#src/admission/admission';
import { createKeyring, type Keyring } from '#src/keys/keyring';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';

const ADMIN = { teamId: null, actor: 'key-admin' };
const HOUR_S = 3600;
const SECOND_MS = 1000;

let d1: SqliteD1;
let nowMs: number;
let here: Gate;
let elsewhere: Gate;
let keyring: Keyring;

beforeEach(() => {
  d1 = openSqliteD1();
  nowMs = Date.UTC(2026, 10, 22);
  let ids = 0;
  const ports = { db: d1.db, now: () => nowMs, newId: () => String(++ids), log: () => undefined, secret: () => undefined };
  here = createAdmission(ports);
  elsewhere = createAdmission(ports);
  keyring = createKeyring({ ...ports, forget: here.forget });
  d1.insert('teams', { id: 'research', created_at_ms: 1 });
});

/** Whether an isolate takes a token now. */
async function takes(gate: Gate, token: string): Promise<boolean> {
  const work: Promise<unknown>[] = [];
  const taken = await gate
    .authenticate(token, (promise) => void work.push(promise))
    .then(
      () => true,
      () => false,
    );
  await Promise.allSettled(work);
  return taken;
}

/** Who takes which of the tokens: here, then elsewhere. */
const taken = (tokens: readonly string[]) =>
  Promise.all([here, elsewhere].map((gate) => Promise.all(tokens.map((token) => takes(gate, token)))));

describe('K7, K14: a change of a key reaches', () => {
  it('this isolate at once and every other within a minute, under both tokens', async () => {
    const { key, token: old } = await keyring.create(ADMIN, { name: 'ci' });
    const { key: rotated, token } = await keyring.rotate(ADMIN, key.hash, { overlap_s: HOUR_S });
    expect(await taken([old, token])).toEqual([
      [true, true],
      [true, true],
    ]);
    await keyring.change(ADMIN, rotated.hash, { disabled: true });
    expect((await taken([old, token]))[0]).toEqual([false, false]);
    nowMs += 60 * SECOND_MS;
    expect(await taken([old, token])).toEqual([
      [false, false],
      [false, false],
    ]);
  });

  it('everybody in time where an overlap ends, also those who have kept the key', async () => {
    const { key, token: old } = await keyring.create(ADMIN, { name: 'ci' });
    const { token } = await keyring.rotate(ADMIN, key.hash, { overlap_s: 10 });
    expect(await taken([old])).toEqual([[true], [true]]);
    nowMs += 10 * SECOND_MS - 1;
    expect(await taken([old, token])).toEqual([
      [true, true],
      [true, true],
    ]);
    nowMs += 1;
    expect(await taken([old, token])).toEqual([
      [false, true],
      [false, true],
    ]);
  });

  it('the older token at the second rotation: here at once, elsewhere within a minute', async () => {
    const { key, token: first } = await keyring.create(ADMIN, { name: 'ci' });
    const { key: rotated, token: second } = await keyring.rotate(ADMIN, key.hash, { overlap_s: HOUR_S });
    await taken([first, second]);
    const { token: third } = await keyring.rotate(ADMIN, rotated.hash, { overlap_s: HOUR_S });
    expect((await taken([first, second, third]))[0]).toEqual([false, true, true]);
    nowMs += 60 * SECOND_MS;
    expect((await taken([first, second, third]))[1]).toEqual([false, true, true]);
  });
});
