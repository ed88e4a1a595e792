/** The README's snippets, copied out of it and run as a reader would run them. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pointAtDevnet, startLocalDevnet } from '#cli/dev/start-devnet';
import { startRouter, type Router } from '#cli/dev/start-router';
import type { Devnet } from '#devnet/devnet';
import { devnetSecrets } from '#devnet/secrets';

const ROOT = path.resolve(import.meta.dirname, '../..');
const README = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
const run = promisify(execFile);

let devnet: Devnet;
let router: Router;
let folder: string;
beforeAll(async () => {
  devnet = await startLocalDevnet(() => {});
  const manifestText = pointAtDevnet(readFileSync(path.join(ROOT, 'examples/local.yaml'), 'utf8'), devnet.url);
  router = await startRouter({ manifestText, stateDir: null, environment: devnetSecrets() });
  // Inside the project, where the SDKs can be found.
  folder = mkdtempSync(path.join(ROOT, 'test/clients/readme-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await router.stop();
  await devnet.stop();
});

/** Cuts a fenced block out of the README, by its language and a line that it contains, and points it at the router of this test. */
function snippet(language: string, line: string): string {
  const blocks = README.split('```').filter((_, place) => place % 2 === 1);
  const found = blocks.find((block) => block.startsWith(`${language}\n`) && block.includes(line));
  if (found === undefined) throw new Error(`the README has no ${language} snippet with: ${line}`);
  return found.slice(language.length + 1).replaceAll('http://localhost:8787', router.url);
}

async function runScript(text: string): Promise<string> {
  const file = path.join(folder, 'snippet.ts');
  writeFileSync(file, text);
  const { stdout } = await run(process.execPath, [file], { env: { ...process.env, HEADRACE_KEY: router.key } });
  return stdout;
}

describe('the snippets of the README', () => {
  describe('npm start', () => {
    it('curl', async () => {
      const { stdout } = await run('sh', ['-c', snippet('sh', 'curl http://localhost:8787/v1/chat/completions')], {
        env: { ...process.env, HEADRACE_KEY: router.key },
      });
      expect(JSON.parse(stdout)).toMatchObject({
        object: 'chat.completion',
        choices: [{ message: { content: expect.stringMatching(/./) } }],
      });
    });

    it("OpenAI's SDK", async () => {
      expect(await runScript(snippet('ts', "import OpenAI from 'openai'"))).toContain('[simulated by');
    });

    it('the AI SDK', async () => {
      expect(await runScript(snippet('ts', "from '@ai-sdk/openai-compatible'"))).toMatch(/\[simulated by [\s\S]* \d+\n$/);
    });

    it("Anthropic's SDK", async () => {
      expect(await runScript(snippet('ts', "import Anthropic from '@anthropic-ai/sdk'"))).toContain('[simulated by');
    });
  });
});
