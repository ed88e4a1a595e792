/** The supply panel: who serves a model, on which terms. */
import { badge, element, show, table } from './element.js';
import { formatMs, formatPercent, formatPricePerMillion, formatTokens, formatWord } from './format.js';

const COLUMNS = [
  { title: 'Endpoint', head: true },
  { title: 'Supply' },
  { title: 'Tier', hint: 'Privacy tier and who gives the evidence' },
  { title: 'In', hint: 'USD per million prompt tokens', number: true },
  { title: 'Out', hint: 'USD per million completion tokens', number: true },
  { title: 'Context', hint: 'Tokens', number: true },
  { title: 'KV cache' },
  { title: 'Where' },
  { title: 'Uptime', hint: 'Last 30 minutes', number: true },
  { title: 'TTFT p50', hint: 'Last 30 minutes', number: true },
];

/** OpenRouter gives latency as percentiles in milliseconds, or as one number. */
function medianMs(latency) {
  return typeof latency === 'object' ? (latency?.p50 ?? null) : latency;
}

function toRow(endpoint) {
  const { headrace, pricing } = endpoint;
  const tier = headrace.tier_source === null ? formatWord(headrace.tier) : `${formatWord(headrace.tier)} · ${headrace.tier_source}`;
  return {
    mark: headrace.callable ? null : 'off',
    cells: [
      element('span', { class: 'name' }, headrace.endpoint, !headrace.callable && badge('no key', 'note')),
      badge(headrace.supply),
      tier,
      formatPricePerMillion(pricing.prompt),
      formatPricePerMillion(pricing.completion),
      formatTokens(endpoint.context_length),
      formatWord(headrace.kv_cache === 'unknown' ? null : headrace.kv_cache),
      headrace.jurisdiction.join(', ') || '–',
      formatPercent(endpoint.uptime_last_30m),
      formatMs(medianMs(endpoint.latency_last_30m)),
    ],
  };
}

/** Shows the endpoints of a model, callable ones first. */
export function showSupply(node, endpoints) {
  const off = endpoints.filter(({ headrace }) => !headrace.callable);
  const on = endpoints.filter(({ headrace }) => headrace.callable);
  show(
    node,
    table('Endpoints of the chosen model', COLUMNS, on.map(toRow)),
    off.length > 0 &&
      element(
        'details',
        {},
        element('summary', {}, `${off.length} more without a key in this deployment`),
        table('Endpoints without a key', COLUMNS, off.map(toRow)),
      ),
  );
}
