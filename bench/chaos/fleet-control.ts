/** The devnet's control surface, as an operator of the run uses it. */
import type { FaultName } from '#devnet/faults';

/** What the control surface tells of one endpoint, as far as the run reads it. */
export interface EndpointState {
  id: string;
  counters: { requests: number; completed: number };
}

/** Switches endpoints of the devnet at `origin`. Throws when the devnet refuses. */
export interface FleetControl {
  states(): Promise<EndpointState[]>;
  set(id: string, setting: { faults?: readonly FaultName[]; habits?: boolean; cut?: number }): Promise<void>;
}

/** Connects to the control surface of a devnet. */
export function controlFleet(origin: string): FleetControl {
  async function ask(path: string, init: RequestInit = {}): Promise<unknown> {
    const response = await fetch(`${origin}/control${path}`, init);
    if (!response.ok) throw new Error(`the devnet answers ${response.status} to /control${path}`);
    return response.json();
  }
  return {
    states: async () => ((await ask('')) as { endpoints: EndpointState[] }).endpoints,
    set: async (id, setting) => void (await ask(`/${id}`, { method: 'PUT', body: JSON.stringify(setting) })),
  };
}
