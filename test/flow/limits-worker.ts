/** The whole Worker with a clock that tests move: what counts in UTC minutes must not depend on the second in which a test runs. */
import { createPorch, type Porch } from '#src/api/porch';
import { createContext, type Env } from '#src/context';
import { Account as RealAccount } from '#src/ledger/account';
import { createHall } from '#src/serve';

export { HealthBoard } from '#src/health/board';
export { NodeLink } from '#src/node-link';

const MINUTE_MS = 60_000;

let aheadMs = 0;
let porch: Porch | undefined;

const now = (): number => Date.now() + aheadMs;

/** The Account by the same clock. */
export class Account extends RealAccount {
  protected override now(): number {
    return now();
  }
}

/** Moves the clock to this many milliseconds into the next minute; it runs on from there. */
function moveInto(nextMinuteMs: number): void {
  aheadMs += MINUTE_MS - (now() % MINUTE_MS) + nextMinuteMs;
}

// oxlint-disable-next-line import/no-default-export -- the entry of a Worker
export default {
  fetch(request: Request, env: Env, execution: ExecutionContext): Response | Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/clock') {
      moveInto(Number(searchParams.get('into')));
      return Response.json({ nowMs: now() });
    }
    porch ??= createPorch(createHall({ ...createContext(env), now }));
    return porch.fetch(request, env, execution);
  },
};
