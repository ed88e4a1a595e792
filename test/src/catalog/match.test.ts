import { describe, expect, it } from 'vitest';
import type { GatewayError } from '#schema/error';
import { buildSnapshot } from '#src/catalog/build-snapshot';
import { canonicalModel, checkProviderNames, match } from '#src/catalog/match';
import { nearNames } from '#src/catalog/near-names';
import { catalogRows, endpointRow, NOW_MS } from './rows.ts';

const model = (id: string) => ({
  id,
  name: id,
  createdAtS: 0,
  context: null,
  inputModalities: ['text'],
  outputModalities: ['text'],
  source: 'catalogue',
});
const { snapshot } = buildSnapshot(
  catalogRows({
    models: ['qwen/qwen3-8b', 'qwen/qwen3-14b', 'openai/gpt-oss-120b', 'own/secret'].map(model),
    aliases: [
      { alias: 'gpt-4o-mini', modelId: 'qwen/qwen3-8b', source: 'manifest' },
      { alias: 'dangling', modelId: 'gone/model', source: 'manifest' },
    ],
    endpoints: [endpointRow(), endpointRow({ id: 'rig', tag: 'selfhosted/fp8', modelId: 'own/secret', ownerTeamId: 'a' })],
  }),
  { nowMs: NOW_MS, version: 'v', allowedHosts: [] },
);

function refusal(run: () => unknown): GatewayError {
  try {
    run();
  } catch (error) {
    return error as GatewayError;
  }
  throw new Error('expected a refusal');
}

const ids = (names: string[], team: string | null = null) => match(snapshot, names, team).entries.map((entry) => entry.model.id);

describe('match', () => {
  it('resolves aliases, keeps the order and drops repeats', () => {
    expect(ids(['qwen/qwen3-14b', 'gpt-4o-mini', 'qwen/qwen3-8b'])).toEqual(['qwen/qwen3-14b', 'qwen/qwen3-8b']);
    expect(canonicalModel(snapshot, 'gpt-4o-mini')).toBe('qwen/qwen3-8b');
  });

  it('reports unknown names beside known ones', () => {
    expect(match(snapshot, ['nope/x', 'qwen/qwen3-8b'], null).unknown).toEqual(['nope/x']);
  });

  it('an unknown model is a 404 that names up to three near ones', () => {
    const error = refusal(() => ids(['qwen/qwen3-8bb']));
    expect(error).toMatchObject({ code: 'model_not_found', status: 404, param: 'model' });
    expect(error.message).toContain("'qwen/qwen3-8b'");
    expect(refusal(() => ids(['gpt-oss-120'])).message).toContain("'openai/gpt-oss-120b'");
    expect(refusal(() => ids(['dangling'])).code).toBe('model_not_found');
    expect(refusal(() => ids(['x'.repeat(300)])).message.length).toBeLessThan(200);
  });

  it('K8: a model that only another team serves does not exist, nor is it suggested', () => {
    expect(ids(['own/secret'], 'a')).toEqual(['own/secret']);
    const error = refusal(() => ids(['own/secret'], 'b'));
    expect(error.code).toBe('model_not_found');
    expect(error.metadata).toEqual({ did_you_mean: [] });
    expect(refusal(() => ids(['own/secrets'], 'b')).metadata).toEqual({ did_you_mean: [] });
  });

  it.each([
    ['qwen/qwen3-8b:flor', ['qwen/qwen3-8b:floor']],
    ['gpt-4o-mini:fre', ['gpt-4o-mini:free']],
    ['qwen/qwen3-8b:thinking', ['qwen/qwen3-8b']],
    ['qwen/qwen3-8b:nitro', ['qwen/qwen3-8b']],
    ['own/secret:flor', []],
  ])('a misspelt suffix is told apart from a misspelt model: %s', (name, near) => {
    expect(refusal(() => ids([name])).metadata).toEqual({ did_you_mean: near });
  });

  it('near names compare a bounded number of names', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => `author/model-${i}`);
    expect(nearNames('author/model-1', many)).toHaveLength(3);
    expect(nearNames('author/model-19999', many)).not.toContain('author/model-19999');
  });
});

describe('features of other routers', () => {
  it.each([
    ['qwen/qwen3-8b:online', 'give the model a tool'],
    ['qwen/qwen3-8b:thinking', "'reasoning'"],
    ['qwen/qwen3-8b:batch', 'one by one'],
    ['@preset/mine', "'provider.policy'"],
    ['qwen/qwen3-8b@preset/mine', "'provider.policy'"],
    ['openrouter/auto', "'models'"],
    ['~qwen/qwen-latest', 'Name the model itself'],
  ])('%s is no model here, and the answer says what to do instead', (name, instead) => {
    const error = refusal(() => match(snapshot, [name], null));
    expect(error).toMatchObject({ code: 'model_not_found', status: 404, param: 'model' });
    expect(error.message).toContain(instead);
  });
});

describe('provider names', () => {
  it.each([
    [{ only: ['alpha'] }],
    [{ only: ['elsewhere', 'alpha'] }],
    [{ only: ['selfhosted/fp8'] }],
    [{ only: ['rig'] }],
    [{ ignore: ['elsewhere', 'alpha'] }],
    [{ order: ['elsewhere', 'rig'] }],
    [{ ignore: ['elsewhere'] }],
    [{ order: ['elsewhere'] }],
    [{ only: [] }],
    [null],
  ])('accepts %j', (wishes) => {
    expect(() => checkProviderNames(snapshot, wishes)).not.toThrow();
  });

  it.each([
    [{ only: ['alfa'] }, 'provider.only'],
    [{ order: ['alfa'] }, 'provider.order'],
    [{ ignore: ['alfa', 'elsewhere'] }, 'provider.ignore'],
  ])('refuses %j, names the field and the near name', (wishes, param) => {
    const error = refusal(() => checkProviderNames(snapshot, wishes));
    expect(error).toMatchObject({ code: 'invalid_request', param });
    expect(error.message).toContain("'alpha'");
  });
});
