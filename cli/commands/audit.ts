/** `headrace audit`: who changed what, and when. */
import type { Command } from 'commander';
import type { z } from 'zod';
import type { auditTrail } from '#schema/answers/manifest';
import { parseCount, sinceOption, withExamples, withRouter, type RouterOptions } from '../options.ts';
import { outputOf } from '../output.ts';
import { sayInstant } from '../quantities.ts';
import { openManagement } from '../router/client.ts';
import { formatTable, type Column } from '../table.ts';

type Page = z.infer<typeof auditTrail>;
type Entry = Page['data'][number];

interface AuditOptions extends RouterOptions {
  since: string;
  limit: number;
}

/** Adds the command that reads the audit trail. */
export function addAuditCommand(program: Command): void {
  const command = program
    .command('audit')
    .description('list management changes: who, when, what, from which version to which')
    .addOption(sinceOption('30d'))
    .option('--limit <n>', 'changes at most', parseCount, 100)
    .action(async ({ since, limit, ...options }: AuditOptions, self: Command) => {
      const output = outputOf(self);
      const client = openManagement(options);
      const data: Entry[] = [];
      let cursor: string | null = null;
      do {
        const page: Page = await client.get<Page>('/audit', { since, limit: Math.min(limit - data.length, PAGE), cursor });
        data.push(...page.data);
        cursor = page.data.length === 0 ? null : page.next_cursor;
      } while (cursor !== null && data.length < limit);
      output.answer({ data, next_cursor: cursor }, () => (data.length === 0 ? 'no changes' : formatTable(data, COLUMNS, output)));
    });
  withExamples(withRouter(command), 'audit', 'audit --since 24h --json', 'audit --since 2027-01-01 --limit 1000');
}

/** Changes in one answer of `GET /audit`, at most. */
const PAGE = 1000;

const COLUMNS: Column<Entry>[] = [
  { title: 'when', cell: ({ at }) => sayInstant(at) },
  { title: 'who', shrinkTo: 10, cell: ({ actor }) => actor },
  { title: 'did', cell: ({ action }) => action },
  { title: 'to', shrinkTo: 12, cell: ({ object }) => object },
  { title: 'version', optional: 2, cell: ({ from_version: from, to_version: to }) => sayVersions(from, to) },
  { title: 'what', optional: 1, shrinkTo: 16, cell: ({ changes }) => sayFields(changes) },
];

/** Things without versions of their own are versioned by the instant of their last change, which tells a person nothing. */
const INSTANT = /^\d{12,}$/;

function sayVersions(from: string | null, to: string | null): string {
  return to === null || INSTANT.test(to) ? '' : `${from ?? '–'} → ${to}`;
}

/** Fields that one line tells of; `--json` has them all. */
const SAID_MAX = 12;

function sayFields(changes: Entry['changes']): string {
  const said = Object.entries(changes).map(([name, { from, to }]) => sayField(name, from, to));
  return said.length <= SAID_MAX ? said.join(', ') : `${said.slice(0, SAID_MAX).join(', ')} and ${said.length - SAID_MAX} more`;
}

/** What came or went as a whole is written down as `teams web add`, or as `endpoints add` with how many. */
function sayField(name: string, from: unknown, to: unknown): string {
  if (from === null && typeof to === 'string' && name.endsWith(` ${to}`)) return name;
  if (from === null && typeof to === 'number' && /^\S+ (add|remove|disable)$/.test(name)) return `${name} ${to}`;
  return `${name}: ${sayValue(from)} → ${sayValue(to)}`;
}

function sayValue(value: unknown): string {
  return value === null || value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value);
}
