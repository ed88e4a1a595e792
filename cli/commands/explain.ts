/** `headrace explain`: where a request would go and why. Sends nothing upstream, costs nothing. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CommandError, UsageError } from '../command-error.ts';
import { parseCount, withExamples, withRouter, type RouterOptions } from '../options.ts';
import { outputOf } from '../output.ts';
import { createClient } from '../router/client.ts';
import { findConnection } from '../router/connection.ts';
import { showPlan, type ExplainedPlan } from '../show/plan.ts';

interface ExplainOptions extends RouterOptions {
  model?: string;
  policy?: string;
  file?: string;
  promptTokens?: number;
  maxTokens?: number;
  stream?: boolean;
}

/** What a body holds as far as it matters here. */
type Body = Record<string, unknown> & { provider?: Record<string, unknown> };

/** Adds the command that explains a route. */
export function addExplainCommand(program: Command): void {
  const command = program
    .command('explain')
    .description('show where a chat request would go and why; sends nothing, costs nothing (needs an inference key)')
    .option('-m, --model <model>', 'model to ask for, such as qwen/qwen3-8b or an alias')
    .option('-p, --policy <name>', 'stored policy to ask for')
    .option('-f, --file <body.json>', 'body of a chat request; the other flags change it')
    .option('--prompt-tokens <n>', 'length of the prompt', parseCount)
    .option('--max-tokens <n>', 'most tokens of the answer', parseCount)
    .option('--stream', 'ask for a stream')
    .action(async (options: ExplainOptions, self: Command) => {
      const output = outputOf(self);
      const body = await toBody(options);
      const plan = await createClient(findConnection(options, 'inference')).post<ExplainedPlan>('/explain', body);
      output.answer(plan, () => showPlan(plan, output));
    });
  withExamples(
    withRouter(command),
    'explain --model qwen/qwen3-8b',
    'explain --model openai/gpt-oss-120b --policy hipaa-eu --prompt-tokens 8000 --max-tokens 500',
    'explain --file body.json --json',
  );
}

async function toBody(options: ExplainOptions): Promise<Body> {
  const { model, policy, file, promptTokens, maxTokens, stream } = options;
  const given = file === undefined ? {} : readBody(file);
  if (model === undefined && given.model === undefined) throw new UsageError('name a model: --model M, or --file with a body that does');
  return {
    messages: [{ role: 'user', content: 'Hello.' }],
    ...given,
    ...(model !== undefined && { model }),
    ...(maxTokens !== undefined && { max_tokens: maxTokens }),
    ...(stream !== undefined && { stream }),
    ...(policy !== undefined && { provider: { ...given.provider, policy } }),
    ...(promptTokens !== undefined && { messages: [{ role: 'user', content: await fill(promptTokens) }] }),
  };
}

/** Reads the body of a request. Throws CommandError. */
function readBody(file: string): Body {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code ?? 'unknown failure'}`);
  }
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Body;
  } catch {
    throw new CommandError(`${file} is not JSON`);
  }
  throw new CommandError(`${file} is not a JSON object`);
}

const WORD = ' water';
/** What the frame of one message counts. */
const FRAME_TOKENS = 4;

/** Writes a prompt that the router will count as so many tokens, as near as words go. */
async function fill(tokens: number): Promise<string> {
  const { countTokens } = await import('#schema/count-tokens');
  const sample = 1000;
  const tokensPerWord = countTokens(WORD.repeat(sample)) / sample;
  return WORD.repeat(Math.max(1, Math.round((tokens - FRAME_TOKENS) / tokensPerWord))).trim();
}
