/** What `npm start` says when the router is ready: things to paste. */
import type { Manifest } from '#schema/manifest';
import { DEFAULT_STATE, DEFAULT_URL } from '../router/connection.ts';
import { REAL_MODEL } from './real-node.ts';

export interface GreetingFacts {
  url: string;
  key: string;
  managementKey: string;
  manifest: Manifest;
  activeProviders: readonly string[];
  missingKeys: readonly string[];
  /** State directory, for the D1 command. */
  stateDir: string;
  /** Address of the devnet; null without one. */
  devnetUrl: string | null;
  /** Address of the real node; null without one. */
  realNodeUrl: string | null;
}

/** Chooses the model for the example: the one that most supply kinds serve, the first in the file among equals. */
export function exampleModel(manifest: Manifest): string | undefined {
  const kinds = new Map<string, Set<string>>();
  for (const { model, provider, supply } of manifest.endpoints) kinds.set(model, (kinds.get(model) ?? new Set()).add(supply ?? provider));
  return [...kinds].sort(([, left], [, right]) => right.size - left.size)[0]?.[0];
}

/** Writes the lines before `ready`. */
export function greet(facts: GreetingFacts): string[] {
  const { url, key, activeProviders, missingKeys, devnetUrl, realNodeUrl, stateDir } = facts;
  const model = exampleModel(facts.manifest) ?? 'openai/gpt-oss-120b';
  const team = facts.manifest.teams[0]?.id ?? 'local';
  // What the commands find by themselves is left out.
  const at = `${url === DEFAULT_URL ? '' : ` --url ${url}`}${stateDir === DEFAULT_STATE ? '' : ` --state ${stateDir}`}`;
  const persist = stateDir === DEFAULT_STATE ? '' : ` --persist-to ${stateDir}`;
  return [
    ...missingKeys.map((who) => `! left out: ${who}`),
    '',
    `real providers on: ${activeProviders.length === 0 ? 'none (set a key such as TOGETHER_API_KEY in the environment or .dev.vars)' : activeProviders.join(', ')}`,
    ...(devnetUrl === null ? [] : [`simulated supply:  ${devnetUrl}/control`]),
    ...(realNodeUrl === null ? [] : [`real node:         ${realNodeUrl} (llama.cpp with random weights; ask for ${REAL_MODEL})`]),
    `console:           ${url}/ (teams and keys: ${url}/teams)`,
    `API description:   ${url}/docs`,
    `key:               ${key}`,
    `management key:    ${facts.managementKey}`,
    '',
    'Ask (the headers say who answers):',
    `  curl -Ni ${url}/v1/chat/completions -H 'authorization: Bearer ${key}' -H 'content-type: application/json' \\`,
    `    -d '{"model":"${model}","stream":true,"messages":[{"role":"user","content":"What is a headrace?"}]}'`,
    'Choose the supply: add "provider":{"supply":{"only":["subnet"]}} to the body, or "selfhosted", or "centralized".',
    'Ask why, with the id from x-generation-id:',
    `  curl -s '${url}/v1/generation?id=ID' -H 'authorization: Bearer ${key}'`,
    'Read the same from D1:',
    `  npx wrangler d1 execute headrace --local${persist} --command 'select id, model, endpoint_id, supply, charged_nano_usd from receipts order by id desc limit 5'`,
    'Go on:',
    `  npx headrace explain${at} --model ${model}`,
    `  npx headrace keys create${at} --team ${team} --name mine --limit 5 --reset daily`,
    `  npx headrace check examples/team.yaml && npx headrace apply${at} examples/team.yaml --dry-run`,
    '',
  ];
}
