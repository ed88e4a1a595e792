import { describe, expect, it } from 'vitest';
import { createOrUnavailable } from '#schema/or-unavailable';

function askWith() {
  const lines: Record<string, unknown>[] = [];
  const ask = createOrUnavailable({
    sentence: 'Usage cannot be read right now',
    event: 'books_unavailable',
    timeoutMs: 30_000,
    log: (line) => lines.push(line),
  });
  return { ask, lines };
}

describe('a question to a database', () => {
  it('is answered with what the work gives', async () => {
    const { ask, lines } = askWith();
    expect(await ask(Promise.resolve(7))).toBe(7);
    expect(lines).toEqual([]);
  });

  it('that fails is a 503 that says when to come back, and a line that names the failure but not what it said', async () => {
    const { ask, lines } = askWith();
    const failure = new RangeError('secret table');
    await expect(ask(Promise.reject(failure))).rejects.toMatchObject({
      code: 'ledger_unavailable',
      message: 'Usage cannot be read right now. Try again shortly.',
      retryAfterS: 2,
      cause: failure,
    });
    expect(lines).toEqual([{ event: 'books_unavailable', cause: 'RangeError' }]);
  });

  it('that nobody answers ends in time', async () => {
    const { ask, lines } = askWith();
    await expect(ask(new Promise(() => {}), 1)).rejects.toMatchObject({ code: 'ledger_unavailable' });
    expect(lines).toEqual([{ event: 'books_unavailable', cause: 'TimeBoxClosed' }]);
  });
});
