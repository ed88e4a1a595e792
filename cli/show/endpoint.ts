/** A registered endpoint on the terminal: how it stands, what to do next, what was declared and what was seen. */
import type { RegisteredEndpointBody } from '#schema/answers/operators';
import type { Paint } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { sayCount, sayInstant, sayMs, sayShare } from '../quantities.ts';

/** Lines of the history that are shown. */
const HISTORY_MAX = 10;

/** Writes an endpoint as a few lines. */
export function showEndpoint(endpoint: RegisteredEndpointBody, paint: Paint): string {
  const { id, state, reason, traffic_share: share, challenge, history = [] } = endpoint;
  const rows: [string, string][] = [
    ['model', `${endpoint.model} (${endpoint.upstream_model})`],
    ['at', endpoint.node === null ? (endpoint.url ?? '') : `node ${endpoint.node}`],
    ['declared', sayDeclared(endpoint)],
    ['price', endpoint.price === null ? 'none' : sayPrice(endpoint.price)],
    ['held', sayHeld(endpoint.held_price)],
    ['expected', sayExpected(endpoint)],
    ['share', `${sayShare(share)} of the traffic`],
    ['vouched', endpoint.vouched === null ? '' : `by ${endpoint.vouched.by} since ${sayInstant(endpoint.vouched.at)}`],
    ['model is', sayComparison(endpoint)],
  ];
  const lines = [
    `${id} of ${endpoint.operator}: ${state} since ${sayInstant(endpoint.since)}${reason === null ? '' : ` (${reason})`}`,
    ...(challenge === null
      ? []
      : [`to prove that it is yours, serve at ${challenge.url}`, `  ${challenge.body}`, `then: npx headrace endpoints probe ${id}`]),
    ...rows.filter(([, value]) => value !== '').map(([name, value]) => `${name.padEnd(9)} ${value}`),
    ...findingsOf(endpoint),
    ...history
      .slice(0, HISTORY_MAX)
      .map(
        ({ at, from, to, reason: why, actor }) => `${sayInstant(at)}  ${from ?? 'new'} → ${to}${why === null ? '' : `: ${why}`} (${actor})`,
      ),
  ];
  return lines.map((line, place) => (place === 0 ? paint('bold', toPlainText(line)) : toPlainText(line))).join('\n');
}

type TokenPrice = Pick<NonNullable<RegisteredEndpointBody['price']>, 'prompt' | 'completion'>;
type HeldPrice = Pick<NonNullable<RegisteredEndpointBody['held_price']>, 'state' | 'reason'> & { price: TokenPrice };

/** Writes a price per million tokens. */
export function sayPrice({ prompt, completion }: TokenPrice): string {
  return `$${prompt} in, $${completion} out per million tokens`;
}

/** Writes the price that waits for a manager or was rejected; nothing where there is none. */
export function sayHeld(held: HeldPrice | null | undefined): string {
  // A router of an older version tells of none.
  if (held == null) return '';
  const said = held.state === 'rejected' ? 'a manager has rejected it' : 'a manager decides';
  return `${sayPrice(held.price)}: ${said} (${held.reason})`;
}

function sayDeclared({ declared }: RegisteredEndpointBody): string {
  const { engine, weights, kv_cache: cache, context, max_concurrency: concurrency, capabilities } = declared;
  const parts = [
    engine,
    `weights ${weights}`,
    `KV cache ${cache}`,
    `${sayCount(context)} tokens`,
    concurrency === null ? null : `${sayCount(concurrency)} at once`,
    capabilities.length === 0 ? null : capabilities.join(' '),
  ];
  return parts.filter((part) => part !== null).join(', ');
}

function sayExpected({ expected, capacity }: RegisteredEndpointBody): string {
  const first = expected?.ttft_ms == null ? null : `first token in ${sayMs(expected.ttft_ms)}`;
  // An engine that sends a short answer in one piece was timed at nothing.
  const next = !expected?.tpot_ms ? null : `${Math.round(1_000 / expected.tpot_ms)} tokens/s`;
  const pool = capacity?.pool_tokens == null ? null : `holds ${sayCount(capacity.pool_tokens)} tokens`;
  const known = [first, next, pool].filter((part) => part !== null).join(', ');
  return expected === null || known === '' ? known : `${known} (by ${expected.source})`;
}

function sayComparison({ seen }: RegisteredEndpointBody): string {
  const { comparison } = seen ?? {};
  if (comparison === undefined) return '';
  const { verdict, by, distance, tolerance, references, differed, of, at } = comparison;
  const doubt = differed === 0 ? '' : `, after ${differed === 1 ? 'a difference' : `${differed} differences`}`;
  if (verdict === 'no_reference') return `not compared: no reference${doubt} (${sayInstant(at)})`;
  if (verdict === 'unanswered') return `not compared: it did not answer${doubt} (${sayInstant(at)})`;
  const beside = references === 1 ? 'one other endpoint' : `${references} other endpoints`;
  const words = verdict === 'agrees' ? 'what it says' : 'another one than it says';
  const measure = by === 'text' ? `parts at ${distance} of the words on which they agree from` : `distance ${distance} to`;
  const whose = of === undefined ? '' : `by ${of}, which stood in its place: `;
  return `${whose}${words}: ${measure} ${beside}, ${tolerance} at most (${sayInstant(at)})`;
}

function findingsOf({ seen }: RegisteredEndpointBody): string[] {
  return (seen?.findings ?? []).map(({ what, declared, seen: found, severity }) => {
    const said = declared === null ? '' : ` declared ${declared},`;
    return `${severity}: ${what}${said} seen ${found ?? 'nothing'}`;
  });
}
