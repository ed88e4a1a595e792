import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { drawRequests, MODELS } from '#bench/chaos/requests';
import { BUDGETED_TEAM, budgetNanoUsd, manifestText, TEAMS } from '#bench/chaos/teams';
import { LOCAL_HOSTS } from '#cli/local-hosts';
import { surroundings } from '#src/house-facts';
import { checkManifest } from '#cli/manifest/read-manifest';

const LOAD = drawRequests({ durationMs: 200_000, rate: 10, seed: 1 });

test('the load has about the rate that was asked for, in order, and is the same for the same seed', () => {
  expect(LOAD.length).toBeGreaterThan(1800);
  expect(LOAD.length).toBeLessThan(2200);
  expect(LOAD.map(({ atMs }) => atMs)).toEqual(LOAD.map(({ atMs }) => atMs).toSorted((left, right) => left - right));
  expect(drawRequests({ durationMs: 200_000, rate: 10, seed: 1 })).toEqual(LOAD);
  expect(drawRequests({ durationMs: 200_000, rate: 10, seed: 2 })).not.toEqual(LOAD);
});

test('every kind of client is there: all APIs, teams and models, streams and whole answers, limits, stop words and clients that leave', () => {
  const share = (fits: (request: (typeof LOAD)[number]) => boolean): number => LOAD.filter(fits).length / LOAD.length;
  for (const api of ['chat', 'messages', 'responses']) expect(share((request) => request.api === api)).toBeGreaterThan(0.05);
  for (const { id, share: wished } of TEAMS) expect(share(({ teamId }) => teamId === id)).toBeCloseTo(wished, 1);
  for (const model of MODELS) expect(share((request) => request.model === model)).toBeGreaterThan(0.2);
  expect(share(({ streaming }) => streaming)).toBeCloseTo(0.85, 1);
  expect(share(({ jsonItems }) => jsonItems !== null)).toBeGreaterThan(0.03);
  expect(share(({ leavesAfter }) => leavesAfter !== null)).toBeGreaterThan(0.04);
  expect(share(({ stop }) => stop !== null)).toBeGreaterThan(0.1);
  expect(share(({ maxTokens }) => maxTokens !== null && maxTokens < 400)).toBeCloseTo(0.2, 1);
});

test('no two requests ask the same, so that no answer can be taken for another', () => {
  expect(new Set(LOAD.map(({ prompt }) => prompt)).size).toBe(LOAD.length);
});

test('the budget ends before the load of its team does', () => {
  const asked = LOAD.filter(({ teamId }) => teamId === BUDGETED_TEAM);
  expect(asked.every(({ maxTokens }) => maxTokens !== null)).toBe(true);
  expect(budgetNanoUsd(LOAD.length)).toBeLessThan(asked.length * 30_000);
});

test('the manifest of a run is one that may be applied, with a key for every team', () => {
  const local = readFileSync(new URL('../../../examples/local.yaml', import.meta.url).pathname, 'utf8');
  const manifest = checkManifest(manifestText(local, MODELS, 5_000_000), 'chaos', surroundings(true, LOCAL_HOSTS));
  expect(new Set(manifest.endpoints.map(({ model }) => model))).toEqual(new Set(MODELS));
  expect(manifest.teams.find(({ id }) => id === BUDGETED_TEAM)?.budget).toEqual({ usd: 0.005, per: 'total' });
  const keys = manifest.teams.flatMap((team) => team.keys.map(({ value }) => value));
  expect(new Set(LOAD.map(({ key }) => key))).toEqual(new Set(keys));
});
