/** The route panel: where the request went, in numbers. */
import { badge, element, show, termList } from './element.js';
import { formatMs, formatPace, formatTokens, formatUsd, formatWord } from './format.js';

/** Counts attempts, and says what those after the first were for: `3 · fallback, resume`. */
function sayAttempts(attempts) {
  const later = attempts.map(({ role }) => role).filter((role) => role !== 'first');
  return later.length === 0 ? String(attempts.length) : `${attempts.length} · ${later.join(', ')}`;
}

/**
 * Shows what is known so far: headers first, then the usage, then the receipt's own timing.
 * @param {Element} node
 * @param {{ route: object, ttftMs: number | null, usage: object | null, receipt: object | null, simulated: boolean }} facts
 */
export function showRoute(node, { route, ttftMs, usage, receipt, simulated }) {
  const timing = receipt?.headrace.timing;
  const supply = receipt?.headrace.supply ?? route.supply;
  const tier = receipt?.headrace.tier ?? route.tier;
  const source = receipt?.headrace.usage.source ?? usage?.headrace?.source;
  const tokens = receipt?.headrace.usage ?? usage;
  show(
    node,
    element('p', { class: 'served' }, receipt?.headrace.endpoint ?? route.endpoint ?? 'nobody'),
    element(
      'p',
      { class: 'badges' },
      supply && badge(supply),
      tier && badge(formatWord(tier), 'tier'),
      simulated && badge('simulated', 'note'),
      receipt && receipt.headrace.state !== 'completed' && badge(receipt.headrace.state, 'failed'),
    ),
    termList([
      ['Provider', receipt?.headrace.provider ?? route.provider],
      ['Policy', route.policy ?? receipt?.headrace.policy],
      ['Attempts', receipt ? sayAttempts(receipt.headrace.attempts) : (route.attempts ?? '–')],
      ['First token', formatMs(timing?.ttft_ms ?? ttftMs)],
      ['Per token', timing ? formatPace(timing.tpot_ms) : '–'],
      ['Total', timing ? formatMs(timing.total_ms) : '–'],
      ['Tokens in', formatTokens(tokens?.prompt_tokens)],
      ['Tokens out', formatTokens(tokens?.completion_tokens)],
      ['Counted by', source === 'reported' ? 'upstream' : source === 'counted' ? 'router' : '–'],
      ['Cost', formatUsd(receipt?.headrace.charged ?? usage?.cost)],
    ]),
  );
}
