import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { listedModel as model, TOKENS } from '#test/support/priced-house';
import type { Script } from '#test/support/scripted-upstream';
import { openAcmeHouse } from './acme-house.ts';

const priced = await openAcmeHouse();
afterAll(() => priced.stop());
beforeEach(priced.serveAcme);

describe('a list that is broken', () => {
  const ENDPOINT = 'acme:acme/swift-8b';
  const html: Script = (_, response) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><h1>Sign in</h1>');
  const status =
    (code: number): Script =>
    (_, response) =>
      void response.writeHead(code).end();
  /** To a list that would be believed. */
  const redirect: Script = (_, response) => {
    priced.serveList('elsewhere', [model('0.0000015', '0.000002')]);
    response.writeHead(302, { location: `${priced.lists.url('elsewhere')}/models` }).end();
  };

  it.each<[string, unknown, Script | undefined, string]>([
    ['a page', null, html, 'HTML where a list was expected'],
    ['a redirect', null, redirect, 'it redirects, and redirects are not followed'],
    ['gone', null, status(404), 'HTTP 404'],
    ['empty', [], undefined, 'it lists no models'],
    ['no list', 'hello', undefined, 'it lists no models (the document holds no list of models)'],
    [
      'per million where per token was meant',
      [model(1, 2)],
      undefined,
      'its prices are about 1,000,000 times what is known: a mistake of units',
    ],
    ['too small to be prices', [model('1e-13', '1e-13')], undefined, 'is less than can be charged'],
    ['negative', [model('-1', '-1')], undefined, 'is negative'],
    ['absurd', [model('1e300', '1e300')], undefined, 'is beyond every price'],
  ])('(%s) changes no price, and says what is wrong', async (_, data, script, error) => {
    const before = await priced.rows('SELECT * FROM offers ORDER BY endpoint_id, valid_from_ms');
    const { good_at: goodAt } = await priced.feedOf('acme');
    priced.serveList('acme', data, script);
    const said = await priced.read('acme');
    expect(said).toMatchObject({ changed: [], held: [], added: [], dropped: [] });
    expect(said.error).toContain(error);
    expect(await priced.feedOf('acme')).toMatchObject({ state: 'failing', good_at: goodAt, error: said.error });
    expect(await priced.rows('SELECT * FROM offers ORDER BY endpoint_id, valid_from_ms')).toEqual(before);
    expect(await priced.heldOf(ENDPOINT)).toEqual([]);
  });

  it('S11: a redirect is not followed, however good the list is that it leads to', async () => {
    priced.serveList('acme', null, redirect);
    await priced.read('acme');
    expect(priced.lists.callsTo('elsewhere')).toEqual([]);
  });

  it('for days keeps the last good price, is asked ever less often, and is good again when it is back', async () => {
    priced.serveList('acme', null, status(503));
    for (let reading = 0; reading < 5; reading++) {
      await priced.rows("UPDATE price_feeds SET next_read_at_ms = 0 WHERE id = 'acme'");
      await priced.house.runJobs();
    }
    const failing = await priced.feedOf('acme');
    expect(failing.failed_readings).toBeGreaterThanOrEqual(5);
    expect(Date.parse(failing.next_read_at ?? '') - Date.parse(failing.read_at ?? '')).toBeGreaterThan(60 * 60_000);
    expect(await priced.costOfChat()).toBeCloseTo(TOKENS.prompt * 1e-6 + TOKENS.completion * 2e-6, 12);
    priced.serveAcme();
    await priced.read('acme');
    expect(await priced.feedOf('acme')).toMatchObject({ state: 'good', failed_readings: 0, error: null });
  });
});

describe('the schedule', () => {
  it('reads what is due and nothing else, and never a public list unless the deployment says so', async () => {
    priced.serveList('acme', [model('0.0000012', '0.000002')]);
    await priced.rows("UPDATE price_feeds SET next_read_at_ms = 0 WHERE id = 'acme'");
    const callsTo = (feed: string) => priced.lists.callsTo(feed).filter(({ path }) => path.endsWith('/models')).length;
    const before = ['acme', 'beta'].map(callsTo);
    await priced.house.runJobs();
    await priced.house.runJobs();
    expect(['acme', 'beta'].map(callsTo)).toEqual([(before[0] ?? 0) + 1, before[1]]);
    expect(await priced.chargedBy('acme:acme/swift-8b')).toEqual([1_200_000, 2_000_000]);
    expect(await priced.feedOf('chutes')).toMatchObject({ source: 'card', enabled: false, state: 'never_read', next_read_at: null });
    expect(await priced.rows("SELECT id FROM price_feeds WHERE source = 'card'")).toEqual([]);
  });
});
