/** Asks the engine on this machine in the router's name. */
import { callEngine, type CallEngine } from './call-engine.ts';
import { refuse, type AskEngine, type EngineAnswer, type RefusalCode } from './engine-port.ts';

export interface LocalEngineOptions {
  /** Address of the engine without a trailing slash and without `/v1`. */
  url: string;
  /** The engine's own key; null where it asks for none. */
  key: string | null;
  /** Default: over HTTP. */
  call?: CallEngine;
  /** Statuses by which it says that it is full. */
  fullStatuses(): readonly number[];
  /** Called when it does not answer, or says that it is full: its load is worth a look at once. */
  onTrouble(): void;
  /** Called when it knows no such model, or nothing of the path: it may be another one than it was. */
  onMissing(): void;
}

/** Opens the way to an engine. Its answers come as they are; where nothing answers, the node's own 503 comes at once. */
export function createLocalEngine({ url, key, call = callEngine, fullStatuses, onTrouble, onMissing }: LocalEngineOptions): AskEngine {
  return async ({ path, headers, ...request }, signal) => {
    // The engine's own key counts, whatever the router has sent along.
    const toEngine = { ...headers, 'accept-encoding': 'identity', ...(key !== null && { authorization: `Bearer ${key}` }) };
    try {
      const answer = await call(`${url}${path}`, { ...request, headers: toEngine }, signal);
      if (fullStatuses().includes(answer.status)) onTrouble();
      if (answer.status === 404 && request.method === 'POST') onMissing();
      const refusal = refusalOf(answer);
      if (refusal === null) return answer;
      answer.drop();
      return refuse(refusal);
    } catch (error) {
      if (signal.aborted) throw error;
      onTrouble();
      return refuse('engine_unreachable');
    }
  };
}

function refusalOf({ status, headers }: EngineAnswer): RefusalCode | null {
  // A redirect would lead out of the one place that the operator has named.
  if (status >= 300 && status < 400) return 'engine_redirects';
  const isPlain = (headers.get('content-encoding') ?? 'identity') === 'identity';
  return isPlain && status >= 200 && status < 600 ? null : 'engine_unreadable';
}
