/** The keys that simulated centralized APIs ask for, as a deployment holds the keys of real ones. */
import { FLEET } from './fleet.ts';

/** Lists them by the names under which `examples/local.yaml` expects them, such as `DEVNET_API_QUARRY_KEY`. */
export function devnetSecrets(): Record<string, string> {
  return Object.fromEntries(FLEET.flatMap(({ id, key }) => (key === null ? [] : [[secretName(id), key]])));
}

function secretName(endpointId: string): string {
  return `DEVNET_${endpointId.toUpperCase().replaceAll('-', '_')}_KEY`;
}
