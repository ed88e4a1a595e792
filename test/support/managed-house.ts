/** A whole Worker whose deployment is managed from afar: manifests go in through `PUT /manifest`. */
import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { appliedManifest, type AppliedManifest } from '#schema/answers/manifest';
import { MODEL, openHouse, type House } from './house.ts';
import { createManager, type Manage } from './manage.ts';
import { answer } from './openai-scripts.ts';

export const ADMIN = 'sk-hr-mgmt-admin-00000000000';
/** Manages team `research` alone. */
export const LEAD = 'sk-hr-mgmt-lead-000000000000';
/** Infers for team `research`. */
export const CI = 'sk-hr-research-ci-0000000000';
const TABLES = ['meta', 'teams', 'keys', 'policies', 'aliases', 'endpoints', 'offers', 'claims', 'audit', 'manifests', 'policy_versions'];

export interface ManagedHouse extends House {
  manage: Manage;
  /** The manifest that the house was opened with, as it may be sent: keys are named, not written. */
  manifest(over?: Record<string, unknown>): string;
  put(body: Record<string, unknown>, key?: string): Promise<Response>;
  /** Applies a manifest that must be accepted. */
  apply(text: string, more?: Record<string, unknown>): Promise<AppliedManifest>;
  /** Every row that applying may touch, by table. */
  dump(): Promise<Record<string, unknown[]>>;
  /** Asks for a chat with a key, and returns the status of the answer. */
  asks(key: string, body?: Record<string, unknown>): Promise<number>;
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Opens the house and applies its manifest, so that applying it again changes nothing. */
export async function openManagedHouse(): Promise<ManagedHouse> {
  const policies = { quick: { optimize: 'latency' } };
  const house = await openHouse({
    endpoints: [{ id: 'rig', price: { prompt: 1, completion: 2 } }],
    manifest: {
      management_keys: [
        { name: 'admin', value: ADMIN },
        { name: 'lead', value: LEAD, team: 'research' },
      ],
      policies,
      teams: [{ id: 'testers' }, { id: 'research', policy: 'quick', keys: [{ name: 'ci', value: CI }] }],
    },
  });
  house.upstream.script('rig', answer());
  const manage = createManager(house.url, ADMIN);
  const url = house.upstream.url('rig');
  const rig = { id: 'rig', provider: 'selfhosted', model: MODEL, upstream_model: 'echo-1-upstream', context: 32_768, url };

  function manifest(over: Record<string, unknown> = {}): string {
    const content = {
      version: 1,
      management_keys: [
        { name: 'admin', secret: 'ADMIN_KEY' },
        { name: 'lead', secret: 'LEAD_KEY', team: 'research' },
      ],
      policies,
      teams: [{ id: 'testers' }, { id: 'research', policy: 'quick', keys: [{ name: 'ci', secret: 'CI_KEY' }] }],
      endpoints: [{ ...rig, price: { prompt: 1, completion: 2 } }],
      ...over,
    };
    return stringify(content, { aliasDuplicateObjects: false });
  }

  const put: ManagedHouse['put'] = (body, key) => manage('PUT', '/manifest', body, key);

  async function apply(text: string, more: Record<string, unknown> = {}): Promise<AppliedManifest> {
    const response = await put({ manifest: text, ...more });
    const answered = await response.text();
    if (response.status !== 200) throw new Error(`${response.status}: ${answered}`);
    return appliedManifest.parse(JSON.parse(answered)).data;
  }

  async function dump(): Promise<Record<string, unknown[]>> {
    const db = await house.db();
    const results = await db.batch(TABLES.map((table) => db.prepare(`SELECT * FROM ${table}`)));
    return Object.fromEntries(results.map((result, index) => [TABLES[index], result.results]));
  }

  async function asks(key: string, body: Record<string, unknown> = {}): Promise<number> {
    const response = await house.chat(body, { headers: { authorization: `Bearer ${key}` } });
    await response.body?.cancel();
    return response.status;
  }

  await apply(manifest());
  return { ...house, manage, manifest, put, apply, dump, asks };
}
