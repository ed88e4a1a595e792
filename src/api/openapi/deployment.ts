/** The deployment as code, and who changed it. */
import { applyManifest as applyManifestBody } from '#schema/manage-manifest';
import { appliedManifest, auditTrail, currentManifest, policyData, policyList } from '#schema/answers/manifest';
import { auditQuery } from '../audit.ts';
import { policyQuery } from '../policies.ts';
import type { Description } from './description.ts';

const deployment = { tag: 'Deployment', key: 'management' } as const;

export const applyManifest: Description = {
  ...deployment,
  id: 'applyManifest',
  summary: 'Make the deployment match a manifest',
  text: 'All of it or nothing. With `dry_run` it only says what would change, and `plan` names that difference: sent back as `expect`, nothing else is applied, and 409 shows what would change now. An invalid manifest is a 400 with every complaint in `metadata.errors`. Keys that are gone are disabled, unless `prune` says otherwise; receipts always stay. At most 5 MiB, 1 MiB of it manifest. Needs a management key of the whole deployment.',
  body: applyManifestBody,
  example: {
    manifest: 'version: 1\ndefaults: { policy: balanced }\npolicies: { balanced: {} }\nteams: [{ id: research }]\n',
    dry_run: true,
  },
  answer: appliedManifest,
};

export const getManifest: Description = {
  ...deployment,
  id: 'getManifest',
  summary: 'Show the manifest in force',
  text: 'Needs a management key of the whole deployment.',
  answer: currentManifest,
};

export const listPolicies: Description = {
  ...deployment,
  id: 'listPolicies',
  summary: 'List policies',
  text: 'By name, each as it was written with what it extends, and which of them is the default.',
  answer: policyList,
};

export const getPolicy: Description = {
  ...deployment,
  id: 'getPolicy',
  summary: 'Show a policy, as it is or was',
  text: 'Receipts name the policy and the version that they were routed under.',
  query: policyQuery,
  example: { version: '1' },
  answer: policyData,
};

export const listAudit: Description = {
  ...deployment,
  id: 'listAudit',
  summary: 'List who changed what, newest first',
  text: 'The manager of one team sees what its keys did, and what was done to it and its keys.',
  query: auditQuery,
  example: { since: '2027-01-31' },
  answer: auditTrail,
};
