import { describe, expect, it } from 'vitest';
import { describeNode } from '#cli/node/describe';
import { modelNamed, type EngineModel } from '#cli/node/engines/engine';
import { ollama } from '#cli/node/engines/ollama';

function capabilitiesOf(facts: EngineModel) {
  const found = { adapter: ollama, version: null, models: [facts] };
  const served = [{ model: 'm', facts }];
  return describeNode({ found, gpu: null, served, measured: new Map(), predicted: new Map() }).models[0]?.capabilities ?? [];
}

describe('what a node says that its models can do', () => {
  it('is what the engine says of the model, whatever its name says', () => {
    const blind = capabilitiesOf(modelNamed('llava-next', { can: { tools: false, vision: false } }));
    expect(blind).toContain('completion');
    expect(blind).not.toContain('tools');
    expect(blind).not.toContain('vision');
    expect(capabilitiesOf(modelNamed('plain', { can: { tools: true, vision: true } }))).toEqual(
      expect.arrayContaining(['tools', 'vision']),
    );
  });

  it('is what the engine is made for, and the name, where it says nothing', () => {
    expect(capabilitiesOf(modelNamed('llava-next'))).toEqual(expect.arrayContaining(['tools', 'vision']));
    expect(capabilitiesOf(modelNamed('plain'))).not.toContain('vision');
  });
});
