/** Asks the engine on this machine in the router's name. */
import { refuse, type AskEngine } from './engine-port.ts';

export interface LocalEngineOptions {
  /** Address of the engine without a trailing slash and without `/v1`. */
  url: string;
  /** The engine's own key; null where it asks for none. */
  key: string | null;
  fetch: typeof fetch;
  /** Statuses by which it says that it is full. */
  fullStatuses: readonly number[];
  /** Called when it does not answer, or says that it is full: its load is worth a look at once. */
  onTrouble(): void;
}

/** Opens the way to an engine. Its answers come as they are; where nothing answers, the node's own 503 comes at once. */
export function createLocalEngine({ url, key, fetch: call, fullStatuses, onTrouble }: LocalEngineOptions): AskEngine {
  return async ({ method, path, headers, body }, signal) => {
    const init = {
      method,
      // The engine's own key counts, whatever the router has sent along.
      headers: { ...headers, 'accept-encoding': 'identity', ...(key !== null && { authorization: `Bearer ${key}` }) },
      body,
      signal,
      // A redirect would lead out of the one place that the operator has named.
      redirect: 'manual' as const,
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    };
    try {
      const answer = await call(`${url}${path}`, init as RequestInit);
      if (fullStatuses.includes(answer.status)) onTrouble();
      if (answer.status < 300 || (answer.status >= 400 && answer.status < 600)) return answer;
      await answer.body?.cancel();
      return refuse(answer.status < 400 ? 'engine_redirects' : 'engine_unreadable');
    } catch (error) {
      if (signal.aborted) throw error;
      onTrouble();
      return refuse('engine_unreachable');
    }
  };
}
