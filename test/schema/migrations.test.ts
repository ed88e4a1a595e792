/** What the deployment of an older release goes through when it starts the next one. */
import { getTableColumns, getTableName, is } from 'drizzle-orm';
import { SQLiteTable } from 'drizzle-orm/sqlite-core';
import { describe, expect, it } from 'vitest';
import * as ledgerTables from '#schema/ledger-tables';
import * as supplyTables from '#schema/supply-tables';
import * as tables from '#schema/tables';
import { countCompletions } from '#src/nodes/count-store';
import { readNode } from '#src/nodes/join/nodes-store';
import { readRegistered } from '#src/nodes/register/registrations-store';
import { NOW_MS } from '#test/support/fake-clock';
import { openSqliteD1, type SqliteD1 } from '#test/support/sqlite-d1';

/** The last migration of the release that knew no prices that operators ask, and of a manager's word only that there was no challenge. */
const BEFORE_ASKED_PRICES = '0003_operators';
const PROVEN_AT_MS = NOW_MS - 1_000;

function register({ insert }: SqliteD1, id: string, registration: Record<string, unknown>): void {
  insert('endpoints', {
    id,
    provider_id: 'selfhosted',
    operator_id: 'alice',
    tag: 'selfhosted',
    supply: 'selfhosted',
    model_id: 'qwen/qwen3-8b',
    upstream_model: 'qwen3-8b',
    url: 'https://rack.example/v1',
    dialect: 'openai-chat',
    quantization: 'fp8',
    kv_cache: 'fp8',
    context: 32_768,
    capabilities: [],
    jurisdiction: [],
    data_policy: {},
    verification: 'verified',
    source: 'registered',
  });
  insert('registrations', {
    endpoint_id: id,
    operator_id: 'alice',
    state: 'active',
    since_ms: NOW_MS,
    next_probe_at_ms: NOW_MS,
    created_at_ms: NOW_MS,
    updated_at_ms: NOW_MS,
    ...registration,
  });
  insert('offers', {
    endpoint_id: id,
    valid_from_ms: NOW_MS,
    prompt_pico_usd_per_token: 20_000,
    completion_pico_usd_per_token: 60_000,
    source: 'registered',
  });
}

describe('a deployment from before prices were asked', () => {
  it('goes on with what it has: operators, nodes, prices, and who was let in by a manager', async () => {
    const d1 = openSqliteD1(BEFORE_ASKED_PRICES);
    d1.insert('meta', { name: 'catalogue_version', value: 'one' });
    d1.insert('operators', { id: 'alice', name: 'Alice', clean_completions: 60, counted_to_ms: 0, created_at_ms: NOW_MS });
    d1.insert('nodes', { id: 'rig', operator_id: 'alice', public_key: 'k', description: {}, joined_at_ms: NOW_MS });
    register(d1, 'vouched', { proven_at_ms: PROVEN_AT_MS });
    register(d1, 'proven', { challenge: 'served', proven_at_ms: PROVEN_AT_MS });
    register(d1, 'unproven', { challenge: 'not served yet' });
    register(d1, 'of-node', { node_id: 'rig', proven_at_ms: PROVEN_AT_MS });

    d1.migrateOn();

    const read = async (id: string) => await readRegistered(d1.db, id);
    expect((await read('vouched'))?.registration).toMatchObject({ vouchedBy: 'manager', vouchedAtMs: PROVEN_AT_MS });
    for (const id of ['proven', 'unproven', 'of-node'])
      expect((await read(id))?.registration).toMatchObject({ state: 'active', vouchedBy: null, vouchedAtMs: null });
    expect((await read('proven'))?.offer).toMatchObject({ promptPicoUsdPerToken: 20_000, source: 'registered', modelId: null });
    expect(await readNode(d1.db, 'rig')).toMatchObject({ operatorId: 'alice', trouble: null });
    expect(await countCompletions(d1.db, NOW_MS)).toEqual([{ operatorId: 'alice', before: 60, after: 60 }]);
  });
});

describe('a migrated table', () => {
  const all = Object.values({ ...tables, ...ledgerTables, ...supplyTables }).filter((table) => is(table, SQLiteTable));

  it.each(all.map((table) => [getTableName(table), table] as const))(
    '%s has its columns in the order of the schema, by which rows are selected into it',
    (name, table) => {
      const columns = openSqliteD1().rows(`SELECT name FROM pragma_table_info('${name}')`);
      expect(columns.map((column) => column['name'])).toEqual(Object.values(getTableColumns(table)).map((column) => column.name));
    },
  );
});
