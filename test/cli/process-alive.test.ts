import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { isAlive } from '#cli/process-alive';

it('a process that runs is alive, one that was never there is not', () => {
  expect(isAlive(process.pid)).toBe(true);
  // Above what Linux and macOS hand out.
  expect(isAlive(2 ** 30)).toBe(false);
});

it.runIf(process.platform === 'linux')('a dead process that its parent has not collected is not alive', async () => {
  // The shell becomes a program that never asks after the child that the shell had.
  const parent = spawn('/bin/sh', ['-c', 'sleep 0 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const dead = Number(line.toString());
    await expect.poll(() => isAlive(dead)).toBe(false);
    expect(() => process.kill(dead, 0)).not.toThrow();
  } finally {
    parent.kill('SIGKILL');
    await once(parent, 'close');
  }
});
