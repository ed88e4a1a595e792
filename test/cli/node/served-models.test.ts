import { describe, expect, it } from 'vitest';
import { modelNamed } from '#cli/node/engines/engine';
import { chooseModels, parseModelWish, servedName } from '#cli/node/served-models';

describe('the name that callers use', () => {
  it.each([
    ['Qwen/Qwen3-8B-FP8', 'qwen/qwen3-8b'],
    ['qwen3:8b', 'qwen/qwen3-8b'],
    ['gpt-oss:20b', 'openai/gpt-oss-20b'],
    ['llama3.1:latest', 'meta-llama/llama3.1'],
    ['/models/Qwen3-8B-Q4_K_M.gguf', 'qwen/qwen3-8b'],
    ['C:\\models\\gemma-3-12b-it-Q8_0.gguf', 'google/gemma-3-12b-it'],
    ['neuralmagic/Meta-Llama-3.1-8B-Instruct-w4a16', 'neuralmagic/meta-llama-3.1-8b-instruct'],
    ['internlm/internlm3-8b-instruct-awq', 'internlm/internlm3-8b-instruct'],
    ['my own model!', 'my-own-model-'],
    ['…', 'model'],
  ])('of %s is %s', (upstream, served) => expect(servedName(upstream)).toBe(served));
});

describe('what a node serves', () => {
  const [a, b] = [modelNamed('org/a-FP8'), modelNamed('org/b', { isLoaded: false })];

  it('is what is in memory, unless it was told otherwise', () => {
    expect(chooseModels([a, b], []).map(({ model }) => model)).toEqual(['org/a']);
    expect(chooseModels([b], []).map(({ model }) => model)).toEqual(['org/b']);
    expect(chooseModels([a, b], parseModelWish('team/x=org/b')).map(({ model, facts }) => [model, facts.upstreamModel])).toEqual([
      ['team/x', 'org/b'],
    ]);
    expect(chooseModels([a], parseModelWish('team/x')).map(({ model, facts }) => [model, facts.upstreamModel])).toEqual([
      ['team/x', 'org/a-FP8'],
    ]);
  });

  it('is found without the tag that Ollama gives to every model without one', () => {
    const models = [modelNamed('tiny:latest'), modelNamed('tiny:1b')];
    expect(chooseModels(models, parseModelWish('x=tiny')).map(({ facts }) => facts.upstreamModel)).toEqual(['tiny:latest']);
  });

  it('names what there is where it must be told', () => {
    expect(() => chooseModels([b, modelNamed('org/c', { isLoaded: false })], [])).toThrow(
      /name what to serve with --model \(org\/b, org\/c\)/,
    );
    expect(() => chooseModels([a, b], parseModelWish('x=org/z'))).toThrow(/no model org\/z \(it has org\/a-FP8, org\/b\)/);
  });

  it.each(['', '=x', 'x='])('refuses --model %j', (text) => expect(() => parseModelWish(text)).toThrow(/expected SERVED=UPSTREAM/));
});
