import { expect, test } from 'vitest';
import { FAULT_NAMES } from '#devnet/faults';
import { FLEET } from '#devnet/fleet';
import { chat, control, send, startFleet, stateOf } from './support.ts';

test.each([
  { body: { faults: ['down', 'flood'] }, field: 'faults[1]', allowed: FAULT_NAMES },
  { body: { faults: 'down' }, field: 'faults', allowed: FAULT_NAMES },
  { body: { speed: 0 }, field: 'speed', allowed: ['(0, 1000000]'] },
  { body: { speed: '2' }, field: 'speed', allowed: ['(0, 1000000]'] },
  { body: { cut: 1 }, field: 'cut', allowed: ['[0, 1)'] },
  { body: { habits: 'off' }, field: 'habits', allowed: ['true', 'false'] },
  { body: { fault: ['down'] }, field: 'fault', allowed: ['faults', 'habits', 'speed', 'cut'] },
  { body: [], field: 'body', allowed: ['faults', 'habits', 'speed', 'cut'] },
  { body: '{"faults":', field: 'body', allowed: ['faults', 'habits', 'speed', 'cut'] },
])('a wrong $field is a 400 that names it and what is allowed', async ({ body, field, allowed }) => {
  const devnet = await startFleet();
  const answer = await control(devnet, 'miner-swift', body);
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.text).error).toMatchObject({ field, allowed });
});

test('a body that is wrong in one field changes nothing', async () => {
  const devnet = await startFleet();
  await control(devnet, 'miner-swift', { speed: 5, faults: ['flood'] });
  expect(await stateOf(devnet, 'miner-swift')).toMatchObject({ speed: 1000, faults: [] });
});

test('an unknown endpoint is a 404 that lists the known ones, a wrong method a 405', async () => {
  const devnet = await startFleet();
  const unknown = await control(devnet, 'miner-absent', {});
  expect(unknown.status).toBe(404);
  expect(JSON.parse(unknown.text).error.allowed).toContain('miner-swift');
  expect((await send(`${devnet.url}/control/miner-swift`, { method: 'POST', body: {} })).status).toBe(405);
});

test('fields left out keep their value, and a reset brings back the start', async () => {
  const devnet = await startFleet();
  await control(devnet, 'miner-swift', { faults: ['error-500'] });
  await control(devnet, 'miner-swift', { speed: 500, cut: 0.2 });
  expect(await stateOf(devnet, 'miner-swift')).toMatchObject({ faults: ['error-500'], speed: 500, cut: 0.2 });
  expect((await chat(devnet, 'miner-swift')).status).toBe(500);
  await send(`${devnet.url}/control/miner-swift`, { method: 'DELETE' });
  expect(await stateOf(devnet, 'miner-swift')).toMatchObject({ faults: [], speed: 1000, cut: 0.5, counters: { requests: 0 } });
  expect((await chat(devnet, 'miner-swift')).status).toBe(200);
});

test('the list has every endpoint with its counters', async () => {
  const devnet = await startFleet();
  await chat(devnet, 'miner-swift');
  const { endpoints } = JSON.parse((await send(`${devnet.url}/control`)).text);
  expect(endpoints).toHaveLength(FLEET.length);
  expect(endpoints.find((endpoint: { id: string }) => endpoint.id === 'miner-swift').counters).toMatchObject({ requests: 1, completed: 1 });
});
