/** Front door: the Worker and its Durable Object classes; nothing else. */
import { createPorch, type Porch } from '#src/api/porch';
import { createContext, type Env } from '#src/context';
import { runJobs } from '#src/jobs/run-jobs';
import { createHall } from '#src/serve';

export { Account } from '#src/ledger/account';

let porch: Porch | undefined;

export default {
  fetch(request, env, execution) {
    // Rooms keep this isolate's health, leases and catalogue, so they are opened once.
    porch ??= createPorch(createHall(createContext(env)));
    return porch.fetch(request, env, execution);
  },
  async scheduled(controller, env) {
    await runJobs(createContext(env), controller.scheduledTime);
  },
} satisfies ExportedHandler<Env>;
