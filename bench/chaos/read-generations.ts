/** Asks the router for the receipt of every request that was given an id, as its client could. */
import type { Outcome } from './client.ts';
import type { GenerationView } from './reconcile.ts';

const READERS = 8;

interface GenerationBody {
  data: { headrace: { state: string; charged_nano_usd: number; attempts: { role: string }[] } };
}

/** Reads all of them, by generation id; null where the router has none. */
export async function readGenerations(origin: string, outcomes: readonly Outcome[]): Promise<Map<string, GenerationView | null>> {
  const views = new Map<string, GenerationView | null>();
  const queue = outcomes.filter(({ generationId, ending }) => generationId !== null && ending !== 'refused');
  const read = async (): Promise<void> => {
    for (let outcome = queue.pop(); outcome !== undefined; outcome = queue.pop()) {
      const id = outcome.generationId as string;
      views.set(id, await readGeneration(origin, id, outcome.request.key));
    }
  };
  await Promise.all(Array.from({ length: READERS }, read));
  return views;
}

async function readGeneration(origin: string, id: string, key: string): Promise<GenerationView | null> {
  const response = await fetch(`${origin}/v1/generation?id=${id}`, { headers: { authorization: `Bearer ${key}` } });
  if (!response.ok) {
    await response.body?.cancel();
    return null;
  }
  const { data } = (await response.json()) as GenerationBody;
  const { state, charged_nano_usd: chargedNanoUsd, attempts } = data.headrace;
  return { state, chargedNanoUsd, roles: attempts.map(({ role }) => role) };
}
