/** A whole Worker that reads its prices from lists on loopback, which say what a test says. */
import { expect } from 'vitest';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { heldPriceList, priceFeedList, priceFeedReading } from '#schema/answers/prices';
import { openHouse, type House } from './house.ts';
import { createManager, type Manage } from './manage.ts';
import { answer, sendJson } from './openai-scripts.ts';
import { startScriptedUpstream, type Script, type ScriptedUpstream } from './scripted-upstream.ts';

export const ADMIN = 'sk-hr-mgmt-admin-00000000000';
/** Manages one team alone. */
export const LEAD = 'sk-hr-mgmt-lead-000000000000';
/** The model that feed `acme` lists first. */
export const MODEL = 'acme/swift-8b';
/** A chat that every endpoint answers alike. */
export const TOKENS = { prompt: 1_000, completion: 100 };

type Answer<Contract extends z.ZodType<{ data: unknown }>> = z.output<Contract>['data'];

export interface PricedHouse {
  house: House;
  /** Where the lists are: `acme` and `resold` flat, `beta` typed; `resold` is of a known provider. */
  lists: ScriptedUpstream;
  manage: Manage;
  /** Answers a feed's list with models or a script, and its chats with an answer. */
  serveList(feed: string, models: unknown, script?: Script): void;
  read(feed: string, query?: string): Promise<Answer<typeof priceFeedReading>>;
  feedOf(id: string): Promise<Answer<typeof priceFeedList>[number]>;
  heldOf(endpoint: string): Promise<Answer<typeof heldPriceList>>;
  rows(query: string, ...values: unknown[]): Promise<Record<string, unknown>[]>;
  /** What an endpoint charges by the newest of its dated rows, in pico-USD a token: prompt and completion. */
  chargedBy(endpoint: string): Promise<unknown[]>;
  /** Asks for a chat and returns what it cost, in USD. */
  costOfChat(): Promise<number>;
  /** Applies the manifest again, with other feeds where they are given, by id. */
  applyAgain(feeds?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** A model of a flat list at a price per token. */
export function listedModel(prompt: unknown, completion: unknown, id = MODEL): object {
  return { id, context_length: 32_768, pricing: { prompt, completion } };
}

/** Reads an answer of the management API by its contract. */
export async function readAs<Contract extends z.ZodType>(contract: Contract, response: Response): Promise<z.output<Contract>> {
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return contract.parse(JSON.parse(text));
}

/** Opens the house. Feeds are read when a test says so; stop it when done. */
export async function openPricedHouse(): Promise<PricedHouse> {
  const lists = await startScriptedUpstream();
  const price_feeds = [
    { id: 'acme', url: `${lists.url('acme')}/models`, format: 'openrouter' },
    { id: 'beta', url: `${lists.url('beta')}/models`, format: 'openrouter-v2', supply: 'subnet' },
    { id: 'resold', url: `${lists.url('resold')}/models`, format: 'openrouter', provider: 'together' },
  ];
  const managers = [
    { name: 'admin', value: ADMIN },
    { name: 'lead', value: LEAD, team: 'testers' },
  ];
  const house = await openHouse({ endpoints: [{ id: 'rig', model: 'test/rig' }], manifest: { management_keys: managers, price_feeds } });
  const manage = createManager(house.url, ADMIN);

  async function rows(query: string, ...values: unknown[]): Promise<Record<string, unknown>[]> {
    const statement = (await house.db()).prepare(query).bind(...values);
    return (await statement.all<Record<string, unknown>>()).results;
  }

  return {
    house,
    lists,
    manage,
    rows,
    serveList(feed, models, script) {
      lists.script(feed, (call, response) => {
        if (!call.path.endsWith('/models'))
          return answer({ promptTokens: TOKENS.prompt, completionTokens: TOKENS.completion })(call, response);
        return script === undefined ? sendJson(response, 200, { data: models }) : script(call, response);
      });
    },
    read: async (feed, query = '') => (await readAs(priceFeedReading, await manage('POST', `/prices/feeds/${feed}/read${query}`))).data,
    async feedOf(id) {
      const { data } = await readAs(priceFeedList, await manage('GET', '/prices/feeds'));
      const found = data.find((feed) => feed.id === id);
      if (found === undefined) throw new Error(`no feed ${id}`);
      return found;
    },
    async heldOf(endpoint) {
      const { data } = await readAs(heldPriceList, await manage('GET', '/prices/held'));
      return data.filter((held) => held.endpoint === endpoint);
    },
    async chargedBy(endpoint) {
      const [row] = await rows('SELECT * FROM offers WHERE endpoint_id = ?1 ORDER BY valid_from_ms DESC LIMIT 1', endpoint);
      return [row?.prompt_pico_usd_per_token, row?.completion_pico_usd_per_token];
    },
    async costOfChat() {
      const response = await house.chat({ model: MODEL });
      const body = (await response.json()) as { usage: { cost: number } };
      expect(response.status, JSON.stringify(body)).toBe(200);
      return body.usage.cost;
    },
    async applyAgain(feeds = price_feeds.map(({ id }) => id)) {
      const manifest = stringify({
        version: 1,
        price_feeds: price_feeds.filter(({ id }) => feeds.includes(id)),
        // Keys that are named, not written, keep the values that they have.
        management_keys: managers.map(({ name, team }) => ({ name, ...(team && { team }), secret: `${name.toUpperCase()}_KEY` })),
        teams: [{ id: 'testers' }],
        endpoints: [
          {
            id: 'rig',
            model: 'test/rig',
            upstream_model: 'echo-1-upstream',
            url: house.upstream.url('rig'),
            context: 32_768,
            price: { prompt: 1, completion: 2 },
          },
        ],
      });
      const applied = await manage('PUT', '/manifest', { manifest });
      expect(applied.status, await applied.text()).toBe(200);
    },
    async stop() {
      await house.stop();
      await lists.stop();
    },
  };
}
