/** Front door: the Worker and its Durable Object classes; nothing else. */
import { createPorch, type Porch } from '#src/api/porch';
import { createContext, type Env } from '#src/context';
import { createJobs, type Jobs } from '#src/jobs/run-jobs';
import { createHall } from '#src/serve';

export { HealthBoard } from '#src/health/board';
export { Account } from '#src/ledger/account';
export { NodeLink } from '#src/node-link';

let porch: Porch | undefined;
let jobs: Jobs | undefined;

export default {
  fetch(request, env, execution) {
    // Rooms keep this isolate's health, leases and catalogue, so they are opened once.
    porch ??= createPorch(createHall(createContext(env)));
    return porch.fetch(request, env, execution);
  },
  async scheduled(controller, env, execution) {
    jobs ??= createJobs(createContext(env));
    await jobs.run(controller.scheduledTime, (work) => execution.waitUntil(work));
  },
} satisfies ExportedHandler<Env>;
