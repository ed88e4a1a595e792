import { beforeEach, describe, expect, it } from 'vitest';
import { readShared, type Place } from '#src/nodes/address/shared-address-store';
import { changeRegistration } from '#src/nodes/register/registrations-store';
import { HONEST } from '../probe/fake-engine.ts';
import { openSupply, type Supply } from '../staged-supply.ts';

let supply: Supply;
beforeEach(() => {
  supply = openSupply();
  supply.operator('op');
  supply.operator('other');
  supply.endpoint('a', { url: 'https://gpu.example.com/a/v1' });
});

const placeOf = (over: Partial<Place> = {}): Place => ({
  id: 'new',
  operatorId: 'op',
  url: 'https://gpu.example.com/b/v1',
  upstreamModel: HONEST.model,
  pathsDiffer: false,
  isRegistered: false,
  ...over,
});
const find = async (over: Partial<Place> = {}) => (await readShared(supply.db, placeOf(over)))?.endpointId ?? null;

describe('an address', () => {
  it('R6: is one endpoint of its operator, on whatever path and under whatever name', async () => {
    expect(await find()).toBe('a');
    expect(await find({ url: 'https://gpu.example.com/a/v1' })).toBe('a');
    expect(await find({ url: 'https://gpu.example.com' })).toBe('a');
  });

  it('is free for another model, on another port or host, and once the endpoint has retired', async () => {
    expect(await find({ upstreamModel: 'other' })).toBeNull();
    expect(await find({ url: 'https://gpu.example.com:8443/v1' })).toBeNull();
    expect(await find({ url: 'https://gpu.example.com.evil.example/v1' })).toBeNull();
    supply.exec("update registrations set state = 'retired'");
    expect(await find()).toBeNull();
  });

  it('is no obstacle to the endpoint that stands there itself', async () => {
    expect(await find({ id: 'a' })).toBeNull();
  });

  it('R6: of another operator is taken while it is in traffic there; who has proven nothing keeps nobody out', async () => {
    expect(await find({ operatorId: 'other' })).toBeNull();
    supply.exec("update registrations set state = 'probation'");
    expect(await find({ operatorId: 'other' })).toBe('a');
  });

  it('R6: that was free when somebody looked and is taken now is not taken twice: the write itself decides', async () => {
    supply.endpoint('mover', { url: 'https://elsewhere.example.com/v1' });
    const { registration: before } = await supply.read('mover');
    const moveTo = (url: string) =>
      changeRegistration(supply.db, {
        before,
        changes: {},
        event: null,
        endpoint: { url },
        atMs: before.updatedAtMs,
        place: placeOf({ id: 'mover', url }),
      });
    expect(await moveTo('https://gpu.example.com/b/v1')).toBeNull();
    expect((await supply.read('mover')).endpoint.url).toBe('https://elsewhere.example.com/v1');
    expect(await moveTo('https://third.example.com/v1')).not.toBeNull();
  });

  it('R6: that two operators have registered and proven comes into traffic once', async () => {
    expect(await find({ operatorId: 'other', isRegistered: true })).toBeNull();
    supply.exec("update registrations set state = 'probation'");
    expect(await find({ operatorId: 'other', isRegistered: true })).toBe('a');
    expect(await find({ isRegistered: true })).toBeNull();
  });

  it('whose paths are several machines, by a manager’s word, is taken path by path', async () => {
    expect(await find({ pathsDiffer: true })).toBeNull();
    expect(await find({ pathsDiffer: true, url: 'https://gpu.example.com/a/v1' })).toBe('a');
  });
});
