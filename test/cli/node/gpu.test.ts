import { describe, expect, it } from 'vitest';
import { findGpu, readGpu, readGpus } from '#cli/node/gpu';

const MIB = 1024 * 1024;

describe('the GPUs of a machine', () => {
  it('are what nvidia-smi lists, under the names of the capacity model', () => {
    expect(readGpus('NVIDIA GeForce RTX 4090, 24564\n')).toEqual({ name: 'rtx-4090', count: 1, memoryBytes: 24_564 * MIB });
    const eight = 'NVIDIA H100 80GB HBM3, 81559\n'.repeat(8);
    expect(readGpus(eight)).toEqual({ name: 'h100-sxm', count: 8, memoryBytes: 81_559 * MIB });
  });

  it('of different kinds are the most numerous kind', () => {
    expect(readGpus('NVIDIA T400, 2048\nNVIDIA GeForce RTX 3090, 24576\nNVIDIA GeForce RTX 3090, 24576')).toMatchObject({
      name: 'rtx-3090',
      count: 2,
    });
  });

  it('keep a name of their own where nobody knows them', () => {
    expect(readGpus('NVIDIA Quantum Toaster 9000, 1000')?.name).toBe('nvidia-quantum-toaster-9000');
  });

  it.each(['', 'No devices were found', 'x, y', '<html>'])('are none for %j', (listed) => expect(readGpus(listed)).toBeNull());

  it('are none where the tool is missing, slow or fails', async () => {
    expect(await findGpu(async () => null)).toBeNull();
    expect(
      await findGpu(async (tool, args) =>
        tool === 'nvidia-smi' && args.includes('--format=csv,noheader,nounits') ? 'NVIDIA L4, 23034' : null,
      ),
    ).toMatchObject({ name: 'l4' });
  });

  it('can be named, with a count', () => {
    expect([readGpu('h100x8'), readGpu('RTX 4090')]).toMatchObject([
      { name: 'h100-sxm', count: 8 },
      { name: 'rtx-4090', count: 1 },
    ]);
    expect(() => readGpu('abacus')).toThrow(/--gpu abacus is not known/);
  });
});
