/** Looks at an engine that is known: the same, another, or one that cannot serve now. */
import type { EngineSight } from '../link/engine-watch.ts';
import { ask, type AskOptions } from './answers.ts';
import { QUESTIONS, recognise, type Detected } from './detect.ts';
import type { EngineAdapter } from './engine.ts';

/** Asks what the adapter reads; where another engine answers there, everything. Never rejects. */
export async function lookAgain({ adapter, options }: { adapter: EngineAdapter; options: AskOptions }): Promise<EngineSight<Detected>> {
  const answers = await ask([...adapter.asks, '/health'], options);
  // One that is late with a part of it may be busy: half an answer says nothing about what is missing.
  if ([...answers.values()].includes(null)) return null;
  const facts = adapter.read(answers);
  if (facts !== null && facts.models.length > 0) return { found: { adapter, ...facts } };
  if (answers.get('/health')?.status === 503) return { trouble: 'its engine is loading' };
  if (facts !== null) return { trouble: `its ${adapter.title} serves no model` };
  const found = recognise(await ask(QUESTIONS, options));
  return found === null || found.models.length === 0 ? { trouble: 'its engine does not answer as one' } : { found };
}
