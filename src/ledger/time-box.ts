/** Rejects when `work` takes longer than `limitMs`. The work itself goes on; its late result is ignored. */
export async function timeBox<Result>(work: Promise<Result>, limitMs: number): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const alarm = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, alarm]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits. */
export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

/** Waits, but no longer than until `early` resolves. */
export async function pauseUnless(early: Promise<void>, durationMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const pausing = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, durationMs);
  });
  await Promise.race([pausing, early]);
  clearTimeout(timer);
}
