/** Finds out which engine answers at an address, and what it serves. */
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError } from '../../command-error.ts';
import { toPlainText } from '../../plain-text.ts';
import { ask, toFields, toText, type Answers, type AskOptions } from './answers.ts';
import type { EngineAdapter, EngineFacts } from './engine.ts';
import { llamaServer } from './llama-server.ts';
import { lmdeploy } from './lmdeploy.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import { sglang } from './sglang.ts';
import { tabbyapi } from './tabbyapi.ts';
import { tgi } from './tgi.ts';
import { vllm } from './vllm.ts';

/** The surest signs first; `openai` takes what nobody else knows. */
const ADAPTERS: readonly EngineAdapter[] = [vllm, sglang, tgi, tabbyapi, ollama, llamaServer, lmdeploy, openai];

/** An engine with the adapter that knows it. */
export interface Detected extends EngineFacts {
  adapter: EngineAdapter;
}

/** Reads the answers of an engine; null where they are nobody's. */
export function recognise(answers: Answers): Detected | null {
  for (const adapter of ADAPTERS) {
    const facts = adapter.read(answers);
    if (facts !== null) return { adapter, ...facts };
  }
  return null;
}

/** Asks what the first answers lead to, and reads all of it. */
async function askFurther(found: Detected | null, answers: Answers, options: AskOptions): Promise<Detected | null> {
  const further = found?.adapter.asksThen?.(answers) ?? [];
  return found === null || further.length === 0 ? found : recognise(new Map([...answers, ...(await ask(further, options))]));
}

/** All that an engine is asked while it is being recognised. */
export const QUESTIONS = [...new Set(ADAPTERS.flatMap(({ asks }) => asks)), '/health'];

/** Where engines listen unless they are told otherwise. */
const USUAL_PORTS = 'usual ports: vLLM 8000, SGLang 30000, llama.cpp 8080, Ollama 11434, TabbyAPI 5000';

/** Engines that are loading a model are waited for, this long at most. */
const LOADING_MS_MAX = 120_000;
const LOADING_PAUSE_MS = 2_000;

/** Looks at an address until an engine there is ready. Throws CommandError, in words with what to do. */
export async function detect(options: AskOptions, onLoading: () => void, loadingMsMax = LOADING_MS_MAX): Promise<Detected> {
  const giveUpAtMs = performance.now() + loadingMsMax;
  for (let isFirst = true; ; isFirst = false) {
    const answers = await ask(QUESTIONS, options);
    const found = await askFurther(recognise(answers), answers, options);
    if (found !== null && found.models.length > 0) return found;
    if (!isLoading(answers) || performance.now() > giveUpAtMs) throw complain(answers, found, options);
    if (isFirst) onLoading();
    await pause(LOADING_PAUSE_MS);
  }
}

/** Engines answer 503 on their health path while they load. */
function isLoading(answers: Answers): boolean {
  return answers.get('/health')?.status === 503;
}

function complain(answers: Answers, found: Detected | null, { url, key }: AskOptions): CommandError {
  const all = [...answers.values()].filter((answer) => answer !== null);
  if (found !== null) return new CommandError(`${found.adapter.title} at ${url} serves no model: load one, then join again`);
  if (all.length === 0)
    return new CommandError(
      `nothing answers at ${url}: start the engine first (vLLM answers once its model is loaded), or name its address with --upstream (${USUAL_PORTS})`,
    );
  if (isLoading(answers)) return new CommandError(`the engine at ${url} is still loading: join again when it is ready`);
  const models = answers.get('/v1/models');
  if (models?.status === 401 || models?.status === 403) {
    const asks = key === null ? 'asks for a key: give it with' : 'refuses the key of';
    return new CommandError(`the engine at ${url} ${asks} --upstream-key or HEADRACE_UPSTREAM_KEY`);
  }
  if (all.some(({ contentType }) => contentType.includes('text/html')))
    return new CommandError(`${url} answers with a web page, not like an inference engine: is the port right?`);
  const said = sayError(models?.text);
  return new CommandError(
    `${url} does not speak OpenAI's API (/v1/models: ${models?.status ?? 'no answer'}${said === null ? '' : `, ${said}`})`,
  );
}

function sayError(text: string | null | undefined): string | null {
  try {
    const body = toFields(JSON.parse(text ?? ''));
    const message = toText(toFields(body?.error)?.message) ?? toText(body?.error) ?? toText(body?.message);
    return message === null ? null : toPlainText(message);
  } catch {
    return null;
  }
}
