/** What a run needs: the fleet, the router in front of it, and the way into both. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { childPids } from '#bench/process-usage';
import { stopBundler } from '#cli/dev/bundle';
import { pointAtDevnet } from '#cli/dev/start-devnet';
import { startRouter } from '#cli/dev/start-router';
import { startDevnet } from '#devnet/devnet';
import { devnetSecrets } from '#devnet/secrets';
import type { ManifestEndpoint } from '#schema/manifest';
import { toPicoUsdPerToken, type Price } from '#schema/money';
import { controlFleet, type FleetControl } from './fleet-control.ts';
import { MODELS } from './requests.ts';
import { manifestText } from './teams.ts';

/** Three times as fast as the fleet is by itself: most streams last a second or two, those of the slowest a quarter of a minute. */
const SPEED = 3;
const EXAMPLE = path.resolve(import.meta.dirname, '../../examples/local.yaml');

/** A router with its fleet, both running. */
export interface Stage {
  origin: string;
  fleet: FleetControl;
  /** Process of workerd; null where the system does not tell. */
  pid: number | null;
  /** Prices by endpoint id. */
  prices: ReadonlyMap<string, Price>;
  db(): Promise<D1Database>;
  /** Takes what the router logged, at most the last hundred lines. */
  logged: string[];
  stop(): Promise<void>;
}

const LOG_LINES_MAX = 100;

/** Starts both. Nothing is kept on disk. */
export async function startStage({ seed, budgetNanoUsd }: { seed: number; budgetNanoUsd: number }): Promise<Stage> {
  const devnet = await startDevnet({ port: 0, seed, speed: SPEED });
  const before = new Set(childPids(process.pid));
  const logged: string[] = [];
  try {
    const router = await startRouter({
      manifestText: pointAtDevnet(manifestText(readFileSync(EXAMPLE, 'utf8'), MODELS, budgetNanoUsd), devnet.url),
      stateDir: null,
      environment: devnetSecrets(),
      log: (line) => void (logged.push(line) > LOG_LINES_MAX && logged.shift()),
    });
    await stopBundler();
    const fleet = controlFleet(devnet.url);
    // What an endpoint does unasked would be a fault in the calm.
    for (const { id } of await fleet.states()) await fleet.set(id, { habits: false });
    return {
      origin: router.url.replace('localhost', '127.0.0.1'),
      fleet,
      pid: childPids(process.pid).findLast((pid) => !before.has(pid)) ?? null,
      prices: new Map(router.manifest.endpoints.map((endpoint) => [endpoint.id, toPrice(endpoint)])),
      db: router.db,
      logged,
      async stop() {
        await router.stop();
        await devnet.stop();
      },
    };
  } catch (error) {
    await devnet.stop();
    throw error;
  }
}

function toPrice({ price = {} }: ManifestEndpoint): Price {
  return {
    promptPicoUsdPerToken: toPicoUsdPerToken(price.prompt ?? 0),
    completionPicoUsdPerToken: toPicoUsdPerToken(price.completion ?? 0),
    ...(price.cache_read !== undefined && { cacheReadPicoUsdPerToken: toPicoUsdPerToken(price.cache_read) }),
    requestNanoUsd: 0,
  };
}
