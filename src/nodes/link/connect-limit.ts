/** How often a node may be dialled in for, before anything is accepted: a storm of connections is turned away at the door. */

const WINDOW_MS = 60_000;
/** From one address: a node that reconnects more often is broken, and somebody who knows its name does not lock it out from elsewhere. */
const PER_SOURCE_MAX = 10;
const ALL_MAX = 120;

export interface ConnectLimit {
  /** Counts a connection. Null: it may come; otherwise milliseconds until one from there may. */
  refuseForMs(source: string, nowMs: number): number | null;
  /** Notes where the node itself has come from: what others do from elsewhere keeps it out no more. */
  prove(source: string): void;
}

/** Creates the limit of one node. What it keeps is bounded by the connections that it lets in. */
export function createConnectLimit(): ConnectLimit {
  let accepted: { source: string; atMs: number }[] = [];
  let home: string | null = null;

  return {
    refuseForMs(source, nowMs) {
      accepted = accepted.filter(({ atMs }) => nowMs - atMs < WINDOW_MS);
      const own = accepted.filter((connection) => connection.source === source);
      const isCrowded = accepted.length >= ALL_MAX && source !== home;
      const blocking = own.length >= PER_SOURCE_MAX ? own[0] : isCrowded ? accepted[0] : undefined;
      if (blocking !== undefined) return blocking.atMs + WINDOW_MS - nowMs;
      accepted.push({ source, atMs: nowMs });
      return null;
    },
    prove: (source) => void (home = source),
  };
}

/** Names where a connection comes from: the IPv4 address, or the /64 of an IPv6 one, in which whoever has one address has them all. */
export function sourceOf(address: string): string {
  if (!address.includes(':')) return address;
  const [front = '', back] = address.toLowerCase().split('::');
  const groups = front === '' ? [] : front.split(':');
  const behind = back === undefined || back === '' ? 0 : back.split(':').length;
  const filled =
    back === undefined ? groups : [...groups, ...Array<string>(Math.max(0, 8 - groups.length - behind)).fill('0'), ...back.split(':')];
  return filled
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
