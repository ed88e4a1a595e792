/** Waits for a failure and returns what was thrown; fails when nothing was. */
export async function caught(work: PromiseLike<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await work;
  } catch (failure) {
    return failure;
  }
  throw new Error('expected a failure', { cause: value });
}
