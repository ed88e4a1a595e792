/** `headrace node capacity`: what a GPU holds of a model, how fast it serves it, and what a token costs there. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { parseCount, parseUsd, withExamples } from '../options.ts';
import { outputOf } from '../output.ts';
import type { CapacityOptions } from './run-capacity.ts';

const NOTES = `
--model takes a name of the built-in table (qwen/qwen3-8b), a config.json or the folder that it is in, or the https address of one.
--kv takes an engine's own word: bf16, fp8, fp8_ds_mla, turboquant_4bit_nc, lmdeploy_42, q8_0, turbo4 …, or q8_0/q4_0 for keys and values.
--weights takes bf16, fp8, int4 (awq, gptq), mxfp4, nvfp4, or a GGUF type such as q4_k_m.
Bytes are those of one GPU. Weights that do not fit are an answer (zeros, exit 0); an unknown name, or what an engine refuses, ends with exit 1.`;

/** Adds the capacity calculator to `headrace node`. The model is loaded when it runs. */
export function addCapacityCommand(node: Command): void {
  const command = node
    .command('capacity')
    .description('what a GPU holds of a model, how fast it serves it, and what a token costs there')
    .requiredOption('-m, --model <model>', 'name, config.json, folder or https address')
    .requiredOption('-g, --gpu <gpu>', 'such as rtx-4090, h100 or h100x8')
    .option('--gpus <n>', 'how many of them (default: what --gpu or --tp says, else 1)', parseCount)
    .option('-w, --weights <format>', 'format of the weights (default: as published)')
    .option('--kv <codec>', 'codec of the KV cache (default: bf16)')
    .option('-c, --context <tokens>', 'longest sequence that must fit (default: 32768, or what the model was made for)', parseTokens)
    .option('--compare', 'all codecs side by side', false)
    .addOption(
      new Option('--engine <engine>', 'default: what offers the codec').choices(['vllm', 'sglang', 'lmdeploy', 'llama-cpp', 'ollama']),
    )
    .option('--batch <n>', 'requests at once (default: what fits, up to what the engine runs)', parseCount)
    .option('--max-sequences <n>', 'most requests that the engine runs at once', parseCount)
    .option('--input-tokens <n>', 'prompt of a usual request', parseCount)
    .option('--output-tokens <n>', 'answer of a usual request', parseCount)
    .option('--price-per-hour <usd>', 'of one GPU', parseUsd)
    .option('--tp <n>', 'GPUs that share every layer (default: all)', parseCount)
    .option('--util <share>', 'share of the memory that the engine may use, such as 0.9', parseShare)
    .option('--reserve-gib <gib>', 'activations, graphs, logits', parseGib)
    .option('--total-gib <gib>', 'memory of one GPU', parseGib)
    .option('--weights-gib <gib>', 'size of the weights, all GPUs together', parseGib)
    .option('--pool-gib <gib>', 'KV pool of one GPU, where the engine has printed it (default: what weights and reserve leave)', parseGib)
    .option('--block <tokens>', 'tokens that the engine allocates at once', parseCount)
    .addOption(
      new Option('--state-bytes <bytes>', "of a value of a linear layer's state (default: what the engine keeps)").choices(['2', '4']),
    )
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', NOTES)
    .action(async (options: CapacityOptions, self: Command) => {
      const { runCapacity } = await import('./run-capacity.ts');
      await runCapacity(options, outputOf(self));
    });
  withExamples(
    command,
    'node capacity --model qwen/qwen3-8b --gpu rtx-4090 --weights fp8 --kv turboquant_4bit_nc --context 32768',
    'node capacity --model meta-llama/llama-3.3-70b --gpu h100x4 --compare',
    'node capacity --model ./config.json --gpu rtx-3090 --weights q4_k_m --kv q8_0/q4_0 --json',
  );
}

/** Reads `32768` or, as people say it, `32k`. */
function parseTokens(text: string): number {
  const [, digits = '', thousands] = /^(\d{1,9})(k?)$/i.exec(text) ?? [];
  const tokens = Number(digits) * (thousands === '' ? 1 : 1024);
  if (!(tokens >= 1)) throw new InvalidArgumentError('expected a whole number of tokens from 1, such as 32768 or 32k.');
  return tokens;
}

function parseShare(text: string): number {
  const share = Number(text);
  if (!/^[0-9.]{1,12}$/.test(text) || !(share > 0 && share <= 1))
    throw new InvalidArgumentError('expected a share above 0 and up to 1, such as 0.9.');
  return share;
}

function parseGib(text: string): number {
  const gib = Number(text);
  if (!/^\d{1,5}(\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError('expected GiB, such as 8.8.');
  return gib;
}
