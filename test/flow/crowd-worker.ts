/** The whole Worker, with an Account that can be evicted at any moment. */
import type { Env } from '#src/context';
import worker from '#src/index';
import { Account as RealAccount } from '#src/ledger/account';

export { HealthBoard } from '#src/health/board';
export { NodeLink } from '#src/node-link';

/** The Account, as the runtime may end it: with calls under way. */
export class Account extends RealAccount {
  async evict(): Promise<void> {
    this.ctx.abort('evicted by the test');
  }
}

// oxlint-disable-next-line import/no-default-export -- the entry of a Worker
export default {
  async fetch(request, env, execution) {
    const url = new URL(request.url);
    if (url.pathname !== '/evict') return worker.fetch(request, env, execution);
    const accounts = env.ACCOUNT as unknown as DurableObjectNamespace<Account>;
    await accounts
      .getByName(url.searchParams.get('team') ?? '')
      .evict()
      .catch(() => undefined);
    return new Response('evicted');
  },
  scheduled: worker.scheduled,
} satisfies ExportedHandler<Env>;
