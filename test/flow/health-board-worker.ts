/** A worker with nothing but health in it: isolates that are clients of one board, and switches that break the board. */
import { REGISTRY_BOARD } from '#src/health/board-name';
import { HealthBoard } from '#src/health/board';
import type { BoardReport } from '#src/health/board-port';
import { createHealth, type Health } from '#src/health/health';
import { factsOf, offerOf } from '#test/src/routing/fleet';

interface Env {
  HEALTH_BOARD: DurableObjectNamespace<TestBoard>;
}

const faults = { board: 'up', clockOffsetMs: 0 };

/** The board with faults and a clock that can be moved. */
export class TestBoard extends HealthBoard {
  protected override now(): number {
    return Date.now() + faults.clockOffsetMs;
  }

  override async exchange(report: BoardReport) {
    if (faults.board === 'down') throw new Error('down');
    if (faults.board === 'hangs') await new Promise((resolve) => setTimeout(resolve, 20_000));
    return super.exchange(report);
  }

  /** Writes down what is known, as the alarm will. */
  async write(): Promise<void> {
    await this.alarm();
  }

  /** Ends the object at once, as a deployment or an eviction does. */
  async evict(): Promise<void> {
    this.ctx.abort('evicted');
  }
}

const OFFER = offerOf({ endpointId: 'rig', operatorId: 'op', modelId: 'lab/model' });
const FACTS = factsOf();
const isolates = new Map<string, Health>();

function isolateOf(env: Env, name: string): Health {
  const known = isolates.get(name);
  if (known !== undefined) return known;
  const health = createHealth({ now: () => Date.now(), board: (board) => env.HEALTH_BOARD.getByName(board), newId: () => name });
  isolates.set(name, health);
  return health;
}

/** One request: an attempt that goes well, fails or is left by its client, with the exchange that it keeps alive. */
function serve(health: Health, kind: 'ok' | 'fail' | 'leave' | 'loaded', context: ExecutionContext): void {
  const flight = health.begin(OFFER, FACTS);
  if (kind === 'ok') flight.firstToken(700);
  if (kind === 'loaded') flight.nodeLoad({ running: 3, waiting: 1, kvUsage: 0.75 });
  const outcome = ({ ok: 'completed', fail: 'failed', leave: 'cancelled', loaded: 'cancelled' } as const)[kind];
  const failure = outcome === 'failed' ? ({ kind: 'connect', origin: 'local', detail: '' } as const) : null;
  flight.end({ outcome, failure, completionTokens: 101, durationMs: 2_200 });
  const work = health.sync();
  if (work !== null) context.waitUntil(work);
}

// oxlint-disable-next-line import/no-default-export -- the entry of a Worker
export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const url = new URL(request.url);
    const health = isolateOf(env, url.searchParams.get('isolate') ?? 'one');
    switch (url.pathname) {
      case '/serve':
        serve(health, (url.searchParams.get('kind') ?? 'ok') as 'ok', context);
        return Response.json({});
      case '/read':
        return Response.json(health.view(Date.now(), FACTS.teamId).read('rig', 'op', null) ?? null);
      case '/fault':
        for (const [name, value] of url.searchParams) Object.assign(faults, { [name]: name === 'clockOffsetMs' ? Number(value) : value });
        return Response.json(faults);
      case '/restart': {
        const board = env.HEALTH_BOARD.getByName(url.searchParams.get('board') ?? '');
        await board.write();
        await board.evict().catch(() => undefined);
        return Response.json({});
      }
      case '/report':
        // As the link of a node does.
        await env.HEALTH_BOARD.getByName(REGISTRY_BOARD).reportLoad({
          load: { running: Number(url.searchParams.get('running')), waiting: 0, kvUsage: null },
          ageMs: 0,
          endpoints: [{ endpointId: 'rig', modelId: 'lab/model', operatorId: 'op' }],
        });
        return Response.json({});
      case '/known':
        return Response.json(await env.HEALTH_BOARD.getByName(REGISTRY_BOARD).known());
      default:
        return new Response('bare');
    }
  },
};
