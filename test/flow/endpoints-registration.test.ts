import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { probedEndpoint } from '#schema/answers/operators';
import { answer } from '#test/support/openai-scripts';
import { MODEL } from '#test/support/house';
import { changed, MANAGERS, refusal, type Endpoint } from '#test/support/operators-house';
import { openTwoOperators } from './two-operators.ts';

const PUBLIC = 'https://gpu.public.example';

const { house, alice, bob, post, patch, find } = await openTwoOperators();
await house.operator('team-a', { team: 'a' });
afterAll(() => house.stop());
beforeEach(() => {
  house.house.upstream.reset();
  house.house.upstream.script('rig', answer());
  house.resolver.says.clear();
  house.resolver.says.set('gpu.public.example', { A: ['93.184.216.34'], AAAA: ['2606:2800:220:1:248:1893:25c8:1946'] });
});

const probe = async (id: string, by = alice) => {
  const response = await house.manage('POST', `/endpoints/${id}/probe`, undefined, by);
  expect(response.status).toBe(200);
  return probedEndpoint.parse(await response.json());
};
/** Serves a challenge where the endpoint's origin should have it. */
const serveChallenge = ({ challenge }: Endpoint) =>
  house.house.upstream.script('.well-known', ({ path }, response) => {
    const isAsked = path === new URL(challenge?.url ?? '').pathname.replace('/.well-known', '');
    response.writeHead(isAsked ? 200 : 404, { 'content-type': 'text/plain' }).end(`${challenge?.body}\n`);
  });

describe('S1–S12: where an endpoint may be', () => {
  const places: [name: string, url: string][] = [
    ['S1 private', 'https://10.0.0.1/v1'],
    ['S1 carrier NAT', 'https://100.64.0.1/v1'],
    ['S1 link-local', 'https://169.254.1.1/v1'],
    ['S1 unspecified', 'https://0.0.0.0/v1'],
    ['S2 decimal', 'https://167772161/v1'],
    ['S2 octal', 'https://012.0.0.1/v1'],
    ['S2 hex', 'https://0x0a000001/v1'],
    ['S2 short', 'https://10.1/v1'],
    ['S3 loopback', 'https://[::2]/v1'],
    ['S3 unique local', 'https://[fc00::1]/v1'],
    ['S3 link-local', 'https://[fe80::1]/v1'],
    ['S3 mapped', 'https://[::ffff:10.0.0.1]/v1'],
    ['S3 NAT64', 'https://[64:ff9b::a00:1]/v1'],
    ['S3 6to4', 'https://[2002:a00:1::]/v1'],
    ['S3 Teredo', 'https://[2001::1]/v1'],
    ['S4 trailing dot', 'https://gpu.public.example./v1'],
    ['S4 full-width dots', 'https://10。0。0。1/v1'],
    ['S4 percent-encoded', 'https://%31%30.0.0.1/v1'],
    ['S4 user part', 'https://gpu.public.example@10.0.0.1/v1'],
    ['S4 backslash', 'https://gpu.public.example\\@10.0.0.1/v1'],
    ['S5 metadata address', 'https://169.254.169.254/latest'],
    ['S5 metadata name', 'https://metadata.google.internal/v1'],
    ['S5 metadata IPv6', 'https://[fd00:ec2::254]/v1'],
    ['S5 metadata of another cloud', 'https://100.100.100.200/v1'],
    ['S6 wildcard DNS', 'https://10.0.0.1.nip.io/v1'],
    ['S8 plain http', 'http://gpu.public.example/v1'],
    ['S8 file', 'file:///etc/passwd'],
    ['S8 data', 'data:text/plain,x'],
    ['S8 ws', 'ws://gpu.public.example/v1'],
    ['S9 ssh', 'https://gpu.public.example:22/v1'],
    ['S9 redis', 'https://gpu.public.example:6379/v1'],
    ['S10 query', 'https://gpu.public.example/v1?x=/v1'],
    ['S10 fragment', 'https://gpu.public.example/v1#x'],
    ['S10 line break', 'https://gpu.public.example/v1\r\nx: y'],
    ['S14 tunnel of somebody', 'tunnel:rig'],
  ];

  it.each(places)('%s is refused by POST and PATCH: %s', async (_, url) => {
    const made = await refusal(await post(house.wish('place', { url })));
    expect(made).toMatchObject({ status: 400, param: 'url' });
    const { id } = await house.register(house.wish(`place-${places.findIndex(([, one]) => one === url)}`), alice);
    expect(await refusal(await patch(id, { url }))).toMatchObject({ status: 400, param: 'url' });
    expect(await find(id)).toMatchObject({ url: house.house.upstream.url(id), state: 'pending' });
    await house.manage('DELETE', `/endpoints/${id}`, undefined, alice);
  });

  it.each([
    ['a private address', { A: ['10.1.2.3'] }, 'private'],
    ['one private among public ones', { A: ['93.184.216.34', '127.0.0.1'] }, 'private'],
    ['a private address beside a public one of the other kind', { A: ['93.184.216.34'], AAAA: ['fd00::1'] }, 'private'],
    ['an address that is none', { A: ['not an address'] }, 'private'],
    ['nothing', { CNAME: ['else.example.'] }, 'no address'],
    ['names of names of names', { CNAME: Array.from({ length: 9 }, (_, n) => `n${n}.example.`), A: ['93.184.216.34'] }, 'alias'],
  ])('S6: a public name that leads to %s is refused', async (_, said, words) => {
    house.resolver.says.set('moves.example', said);
    expect(await refusal(await post(house.wish('moves', { url: 'https://moves.example/v1' })))).toMatchObject({
      status: 400,
      param: 'url',
      message: expect.stringContaining(words),
    });
  });

  it('S6: a name that nobody knows is refused, and a resolver that fails lets nobody in', async () => {
    expect(await refusal(await post(house.wish('x', { url: 'https://unknown.example/v1' })))).toMatchObject({ status: 400 });
    for (const status of [500, 302, 404]) {
      house.resolver.says.set('down.example', status);
      expect(await refusal(await post(house.wish('x', { url: 'https://down.example/v1' })))).toMatchObject({ status: 503 });
    }
  });

  it('a public name with public addresses is let in, under its origin as the URL standard writes it', async () => {
    const made = await house.register(house.wish('public', { url: 'https://GPU.Public.Example:443/v1/' }), alice);
    expect(made).toMatchObject({ url: `${PUBLIC}/v1`, state: 'pending' });
    expect(made.challenge?.url).toBe(`${PUBLIC}/.well-known/headrace/${made.challenge?.body}`);
    await house.manage('DELETE', '/endpoints/public', undefined, alice);
  });

  it('S12: the router is no endpoint of itself, by whichever name', async () => {
    const { port } = new URL(house.house.url);
    for (const host of ['localhost', '127.0.0.1', '[::1]'])
      expect(await refusal(await post(house.wish('self', { url: `http://${host}:${port}/v1` })))).toMatchObject({
        status: 400,
        message: expect.stringContaining('router itself'),
      });
  });
});

describe('what may be registered', () => {
  it('R6: an address once: another name for the same model there gets nothing twice', async () => {
    await house.register(house.wish('once'), alice);
    const again = { ...house.wish('once'), id: 'once-more' };
    expect(await refusal(await post(again))).toMatchObject({ status: 409, param: 'url' });
    expect((await house.register({ ...again, upstream_model: 'another-model' }, alice)).state).toBe('pending');
  });

  it.each([
    [{ provider: 'groq' }, 400, 'provider'],
    [{ supply: 'centralized' }, 400, 'supply'],
    [{ owner: 'a' }, 400, 'owner'],
    [{ operator: 'bob' }, 400, 'operator'],
    [{ model: 'echo' }, 400, 'model'],
    [{ model: 'nobody/knows', context: undefined }, 400, 'context'],
    [{ max_output: 9000 }, 400, 'max_output'],
    [{ price: { prompt: 0, completion: 2 } }, 400, 'price.prompt'],
    [{ price: { prompt: 1, completion: 0 } }, 400, 'price.completion'],
    [{ price: { prompt: -1, completion: 2 } }, 400, 'price.prompt'],
    [{ price: { prompt: 1e9, completion: 2 } }, 400, 'price.prompt'],
    [{ price: { prompt: 1 } }, 400, 'price.completion'],
    [{ price: { prompt: 1, completion: 2, image: 1 } }, 400, 'price.image'],
    [{ key: 'with space' }, 400, 'key'],
    [{ state: 'active' }, 400, 'state'],
    [{ verification: 'verified' }, 400, 'verification'],
    [{ capabilities: ['messages'] }, 400, 'capabilities.0'],
    [{ id: 'zdr' }, 400, 'id'],
    [{ id: 'rig' }, 409, 'id'],
    [{ id: 'groq' }, 409, 'id'],
  ])('refuses %j', async (more, status, param) => {
    expect(await refusal(await post({ ...house.wish('wished', more), ...more }))).toMatchObject({ status, param });
    expect((await house.manage('GET', `/endpoints/wished`, undefined, alice)).status).toBe(404);
  });

  it('an operator’s word is an operator’s word, whoever it is said to be', async () => {
    const made = await house.register(
      house.wish('claims', { data_policy: { trains: false, retention_days: 0, source: 'contract' }, supply: 'subnet' }),
      alice,
    );
    expect(made).toMatchObject({ supply: 'subnet', declared: { data_policy: { trains: false, retention_days: 0, source: 'operator' } } });
    const after = await changed(await patch('claims', { data_policy: { trains: false, retention_days: 0, source: 'provider' } }));
    expect(after.declared.data_policy.source).toBe('operator');
  });

  it('an operator of a team serves that team alone, and may do it for nothing', async () => {
    const made = await house.register(house.wish('team-1', { operator: 'team-a', price: { prompt: 0, completion: 0 } }), MANAGERS.lead);
    expect(made.declared.team).toBe('a');
    expect(await refusal(await post(house.wish('team-2', { operator: 'team-a', owner: 'b' }), MANAGERS.admin))).toMatchObject({
      status: 400,
      param: 'owner',
    });
    expect(await refusal(await post(house.wish('team-3', { operator: 'bob', owner: 'nobody' }), MANAGERS.admin))).toMatchObject({
      status: 400,
      param: 'owner',
    });
  });

  it('ids are taken once, whoever asks, also ten times at once', async () => {
    const tries = await Promise.all(Array.from({ length: 10 }, (_, n) => post(house.wish('coveted'), n % 2 === 0 ? alice : bob)));
    expect(tries.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
  });

  it('a manifest that names a registered endpoint is a conflict, and nothing of it is applied', async () => {
    await house.register(house.wish('clash'), alice);
    const manifest = `version: 1\nendpoints: [{ id: clash, model: ${MODEL}, url: "${house.house.upstream.url('clash')}", context: 8192 }]\n`;
    expect(await refusal(await house.manage('PUT', '/manifest', { manifest }))).toMatchObject({
      status: 409,
      message: expect.stringContaining('clash'),
    });
    expect(await find('clash')).toMatchObject({ operator: 'alice' });
    expect((await house.manage('GET', '/teams/a')).status).toBe(200);
  });
});

describe('proof', () => {
  it('an endpoint is looked at once its origin serves the challenge, and not before', async () => {
    const made = await house.register(house.wish('proven'), alice);
    expect(made).toMatchObject({ state: 'pending', proven_at: null });
    house.house.upstream.script('proven', answer());
    expect((await probe('proven')).data.state).toBe('pending');
    expect(house.house.upstream.callsTo('proven')).toEqual([]);
    serveChallenge(made);
    const { data } = await probe('proven');
    expect(data).toMatchObject({ proven_at: expect.any(String), challenge: null });
    expect(data.state).not.toBe('pending');
    expect(house.house.upstream.callsTo('proven').length).toBeGreaterThan(0);
    const again = await house.manage('POST', '/endpoints/proven/probe', undefined, alice);
    expect([again.status, await again.text()]).toEqual([429, expect.stringMatching(/just been probed\. Try again in \d+ s\./)]);
  });

  it.each([
    ['S7: a redirect to the challenge', (url: string) => ({ status: 302, headers: { location: url }, body: '' })],
    ['another text', () => ({ status: 200, headers: {}, body: 'x'.repeat(32) })],
    ['the challenge in a page', (_: string, text: string) => ({ status: 200, headers: {}, body: `<html>${text}</html>` })],
    ['a body without end', (_: string, text: string) => ({ status: 200, headers: {}, body: text + ' '.repeat(5_000) })],
    ['an error that says it', (_: string, text: string) => ({ status: 500, headers: {}, body: text })],
  ])('%s proves nothing', async (_, answerWith) => {
    const id = `unproven-${Math.abs(answerWith.toString().length)}`;
    const { challenge } = await house.register(house.wish(id), alice);
    house.house.upstream.script('.well-known', (_call, response) => {
      const { status, headers, body } = answerWith(challenge?.url ?? '', challenge?.body ?? '');
      response.writeHead(status, headers).end(body);
    });
    const { data, report } = await probe(id);
    expect({ ...data, report }).toMatchObject({
      state: 'pending',
      proven_at: null,
      report: null,
      reason: expect.stringContaining('not proven'),
    });
    expect(house.house.upstream.callsTo(id)).toEqual([]);
    await house.manage('DELETE', `/endpoints/${id}`, undefined, alice);
  });

  it('a manager’s endpoint needs none, and is looked at at once', async () => {
    house.house.upstream.script('vouched', answer());
    const made = await house.register(house.wish('vouched', { operator: 'bob' }), MANAGERS.admin);
    expect(made).toMatchObject({ state: 'probing', challenge: null, proven_at: expect.any(String), operator: 'bob' });
    await expect.poll(() => house.house.upstream.callsTo('vouched').length).toBeGreaterThan(0);
  });

  it('nobody talks an unproven endpoint into traffic', async () => {
    await house.register(house.wish('talked'), alice);
    expect(await refusal(await patch('talked', { state: 'active' }))).toMatchObject({ status: 409 });
    expect(await refusal(await patch('talked', { state: 'draining' }))).toMatchObject({ status: 409 });
    expect((await find('talked')).state).toBe('pending');
  });

  it('S6: a name that has become private between registration and probe is not called', async () => {
    house.resolver.says.set('rebinds.example', { A: ['93.184.216.34'] });
    await house.register(house.wish('rebinds', { url: 'https://rebinds.example/v1' }), alice);
    house.resolver.says.set('rebinds.example', { A: ['127.0.0.1'] });
    const { data, report } = await probe('rebinds');
    expect({ ...data, report }).toMatchObject({ state: 'quarantined', proven_at: null, report: null });
  });
});
