import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockState } from '#cli/dev/state-lock';

let state: string;

beforeEach(() => {
  state = mkdtempSync(path.join(tmpdir(), 'headrace-lock-'));
});

afterEach(() => rmSync(state, { recursive: true, force: true }));

function holdBy(pid: number): void {
  mkdirSync(path.join(state, 'headrace'), { recursive: true });
  writeFileSync(path.join(state, 'headrace', 'lock'), String(pid));
}

describe('a state directory', () => {
  it('is refused while another live process holds it', () => {
    holdBy(process.ppid);
    expect(() => lockState(state)).toThrow(/in use by another router/);
  });

  it('is taken over from a process that is gone', () => {
    holdBy(2 ** 30);
    expect(() => lockState(state)()).not.toThrow();
  });

  it('is free again when it has been given back', () => {
    lockState(state)();
    expect(() => lockState(state)()).not.toThrow();
  });
});
