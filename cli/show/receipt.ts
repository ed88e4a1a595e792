/** A receipt as a story: what was asked, how it was routed, what happened, what it cost. */
import type { z } from 'zod';
import type { generation } from '#schema/answers/generation';
import type { Output, Style } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { sayCount, sayInstant, sayMs, sayUsd } from '../quantities.ts';
import { formatTable, type Column } from '../table.ts';
import { sayMethod, sayPolicy, showRoute } from './plan.ts';

export type Generation = z.infer<typeof generation>['data'];
type Receipt = Generation['headrace'];
type Attempt = Receipt['attempts'][number];
type Setting = Pick<Output, 'width' | 'paint'>;

const STATE_STYLES: Record<string, Style> = { completed: 'green', cancelled: 'yellow', interrupted: 'red', failed: 'red' };

/** Tells one request from question to bill. */
export function showReceipt(record: Generation, setting: Setting): string {
  const { headrace: receipt } = record;
  const { paint } = setting;
  const heading = (title: string): string => paint('bold', title);
  return [
    `${heading(toPlainText(record.id))}  ${paint(STATE_STYLES[receipt.state] ?? 'bold', receipt.state)}  ${sayInstant(record.created_at)}`,
    `${heading('Asked')}\n${askedLines(record).join('\n')}`,
    [heading('Plan'), ...showRoute(receipt.plan, setting)].join('\n'),
    `${heading('Attempts')}\n${showAttempts(receipt.attempts, setting)}`,
    `${heading('Answer')}\n${answerLines(record).join('\n')}`,
    `${heading('Money')}\n${moneyLines(record).join('\n')}`,
  ].join('\n\n');
}

function line(name: string, value: string): string {
  return `  ${name.padEnd(12)}${toPlainText(value)}`;
}

function askedLines(record: Generation): string[] {
  const { headrace: receipt } = record;
  const { facts } = receipt.plan;
  const model = receipt.requested_model === record.model ? record.model : `${receipt.requested_model}, served as ${record.model}`;
  return [
    line('team', record.workspace_id),
    line('model', model),
    line(
      'by',
      `${receipt.api}${record.streamed ? ', streamed' : ''}${facts.needs.length === 0 ? '' : `, needs ${facts.needs.join(', ')}`}`,
    ),
    line('policy', sayPolicy({ name: receipt.policy, version: receipt.policy_version })),
    line('order by', sayMethod(receipt.plan)),
  ];
}

function showAttempts(attempts: readonly Attempt[], setting: Setting): string {
  if (attempts.length === 0) return '  nothing was sent';
  const columns: Column<Attempt>[] = [
    { title: '#', align: 'right', cell: ({ index }) => String(index + 1) },
    { title: 'endpoint', shrinkTo: 16, cell: ({ endpoint }) => endpoint },
    { title: 'as', optional: 3, cell: ({ role }) => role },
    { title: 'outcome', cell: ({ outcome, failure }) => ({ text: outcome, style: failure === null ? 'green' : 'red' }) },
    { title: 'TTFT', align: 'right', cell: ({ ttft_ms: ttft }) => sayMs(ttft) },
    { title: 'took', align: 'right', optional: 2, cell: ({ duration_ms: took }) => sayMs(took) },
    { title: 'tokens', align: 'right', optional: 4, cell: ({ prompt_tokens: prompt, completion_tokens: answer }) => `${prompt}+${answer}` },
    { title: 'cost', align: 'right', optional: 1, cell: ({ cost }) => sayUsd(cost) },
    { title: 'why', shrinkTo: 16, cell: ({ failure }) => failure && `${failure.kind}: ${failure.detail}` },
  ];
  return formatTable(attempts, columns, setting);
}

function answerLines({ finish_reason: finish, headrace: receipt }: Generation): string[] {
  const { usage, timing } = receipt;
  const cached = usage.cache_read_tokens > 0 ? ` (${sayCount(usage.cache_read_tokens)} from the cache)` : '';
  const reasoning = usage.reasoning_tokens > 0 ? ` (${sayCount(usage.reasoning_tokens)} reasoning)` : '';
  const times = [
    timing.ttft_ms === null ? '' : `first token after ${sayMs(timing.ttft_ms)}`,
    timing.tpot_ms === null ? '' : `then ${sayMs(timing.tpot_ms)} a token`,
    `${sayMs(timing.total_ms)} in all, ${sayMs(timing.overhead_ms)} of it ours`,
  ].filter((part) => part !== '');
  return [
    line(
      'from',
      receipt.endpoint === null ? 'nobody' : `${receipt.endpoint} (${receipt.provider}, ${receipt.supply}, tier ${receipt.tier})`,
    ),
    line(
      'tokens',
      `${sayCount(usage.prompt_tokens)} prompt${cached}, ${sayCount(usage.completion_tokens)} answer${reasoning}, ${usage.source}`,
    ),
    ...(usage.units === null ? [] : [line('units', sayCount(usage.units))]),
    line('time', times.join(', ')),
    line('ended', [finish ?? 'without a reason', receipt.error_code ?? ''].filter((part) => part !== '').join(', ')),
  ];
}

function moneyLines({ is_byok: isByok, headrace: receipt }: Generation): string[] {
  return [
    line('held', sayUsd(receipt.held)),
    line('charged', `${sayUsd(receipt.charged)}${isByok ? ', the team’s own provider key paid' : ''}`),
    ...(receipt.absorbed > 0 ? [line('absorbed', `${sayUsd(receipt.absorbed)}, paid by the house`)] : []),
  ];
}
