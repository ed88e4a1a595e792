/** Serves unit operations with the queues, paces and faults that text has too. */
import { performance } from 'node:perf_hooks';
import { catchComplaint, isRefusal, readBody } from '../body.ts';
import { deliverWhole } from '../deliver.ts';
import { drawTtftMs, tpotMs, type Ending } from '../endpoint.ts';
import type { Refusal } from '../error-family.ts';
import { OVER_REPORT_FACTOR, type FaultName } from '../faults.ts';
import { readJson, refuseUnread, type Exchange } from '../http.ts';
import { renderErrorFrame } from '../openai-frames.ts';
import type { Surface, Work, Workload } from '../surface.ts';
import { readForm } from './read-form.ts';
import type { UnitJob, UnitParser, UnitUsage } from './unit.ts';

interface UnitTask extends Workload {
  job: UnitJob;
}

/** Makes the surface of an operation whose requests come as JSON, or as a form where files are sent. */
export function unitSurface(parse: UnitParser, format: 'JSON' | 'form' = 'JSON'): Surface<UnitTask> {
  return {
    read: (exchange) => readTask(exchange, parse, format),
    perform,
    renderErrorFrame: ({ endpoint }, refusal) => renderErrorFrame(endpoint.card, refusal),
  };
}

async function readTask({ request, endpoint }: Exchange, parse: UnitParser, format: 'JSON' | 'form'): Promise<UnitTask | Refusal | 'gone'> {
  const read = await (format === 'JSON' ? readJson(request) : readForm(request));
  if (typeof read === 'string') return refuseUnread(read, format);
  const job = catchComplaint(() => parse(readBody(read.value), endpoint.card, request.headers));
  if (isRefusal(job)) return job;
  const { promptTokens } = job.usage;
  return { job, streaming: false, sequences: 1, promptTokens, tokens: promptTokens };
}

async function perform(exchange: Exchange, { task, slot, faults, arrivedAtMs }: Work<UnitTask>): Promise<Ending> {
  const { endpoint, scheduler, signal, random } = exchange;
  const { job } = task;
  await slot.running;
  const slow = faults.has('slow');
  const waitMs = drawTtftMs(endpoint, job.usage.promptTokens, slow, random) + job.steps * tpotMs(endpoint, slow);
  if (!(await scheduler.wait(waitMs / endpoint.speed, signal))) return 'cancelled';
  endpoint.ttft.observe(((performance.now() - arrivedAtMs) * endpoint.speed) / 1000);

  const label = { id: `${endpoint.card.id}-${exchange.serial}`, createdAtS: Math.floor(Date.now() / 1000), endpointId: endpoint.card.id };
  const ending = await deliverWhole(exchange, job.render(label, reportUsage(job.usage, faults)), faults);
  if (ending === 'completed') endpoint.counters.promptTokens += job.usage.promptTokens;
  return ending;
}

function reportUsage({ promptTokens, units }: UnitUsage, faults: ReadonlySet<FaultName>): UnitUsage | null {
  if (faults.has('no-usage')) return null;
  const factor = faults.has('over-report-usage') ? OVER_REPORT_FACTOR : 1;
  return { promptTokens: promptTokens * factor, units: units * factor };
}
