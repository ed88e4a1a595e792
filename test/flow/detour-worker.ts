/** The whole Worker, with real providers' addresses led to a scripted upstream: `DETOURS` is JSON of origin → base URL. */
import worker from '#src/index';
import type { Env } from '#src/context';

export { Account, HealthBoard, NodeLink } from '#src/index';

function withDetours(env: Env & { DETOURS: string; NETWORK: Fetcher }): Env {
  const detours = Object.entries(JSON.parse(env.DETOURS) as Record<string, string>);
  const lead = (url: string) => {
    const [origin, base] = detours.find(([from]) => url.startsWith(`${from}/`)) ?? ['', ''];
    return base + url.slice(origin.length);
  };
  const network = { fetch: (input: string, init: RequestInit) => env.NETWORK.fetch(lead(input), init) };
  return { ...env, NETWORK: network as unknown as Fetcher };
}

type DetouredEnv = Parameters<typeof withDetours>[0];
let detoured: Env | undefined;

// oxlint-disable-next-line import/no-default-export -- the entry of a Worker
export default {
  fetch: (request, env, execution) => worker.fetch(request, (detoured ??= withDetours(env)), execution),
  scheduled: (controller, env, execution) => worker.scheduled(controller, (detoured ??= withDetours(env)), execution),
} satisfies ExportedHandler<DetouredEnv>;
