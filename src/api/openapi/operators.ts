/** Operators, what they register, and the nodes that join. */
import {
  createdOperator,
  deletedNode,
  deletedOperator,
  drainNode as drainNodeBody,
  joinedNode,
  mintedJoinToken,
  nodeData,
  nodeList,
  operatorData,
  operatorKeyList,
  operatorList,
  probedEndpoint,
  registeredEndpointData,
  registeredEndpointList,
  revokedOperatorKey,
} from '#schema/answers/operators';
import {
  createEndpoint,
  createJoinToken as createJoinTokenBody,
  createOperator as createOperatorBody,
  joinNode as joinNodeBody,
  updateEndpoint as updateEndpointBody,
} from '#schema/registration';
import { nodesQuery } from '../nodes.ts';
import { operatorsQuery } from '../operators.ts';
import { registeredQuery } from '../registered-endpoints.ts';
import type { Description } from './description.ts';

const managed = { tag: 'Supply', key: 'management' } as const;
const operated = { tag: 'Supply', key: 'operator' } as const;

export const listOperators: Description = {
  ...operated,
  id: 'listOperators',
  summary: 'List operators',
  query: operatorsQuery,
  text: 'By id. The manager of one team sees that team’s, an operator itself.',
  answer: operatorList,
};

export const createOperator: Description = {
  ...managed,
  id: 'createOperator',
  summary: 'Make an operator',
  text: 'With its first key, `sk-hr-op-…`: it registers endpoints and nodes, manages its own, and never infers. With `team`, its endpoints serve that team alone.',
  body: createOperatorBody,
  example: { id: 'alice', name: 'Alice’s rack' },
  answer: createdOperator,
  creates: true,
};

export const getOperator: Description = {
  ...operated,
  id: 'getOperator',
  summary: 'Describe an operator and what it has earned',
  text: '`earned` sums what its endpoints have served in the last 30 days, exact to a nano-USD and at most a minute old.',
  answer: operatorData,
};

export const listOperatorKeys: Description = {
  ...operated,
  id: 'listOperatorKeys',
  summary: 'List the keys of an operator',
  answer: operatorKeyList,
};

export const revokeOperatorKey: Description = {
  ...operated,
  id: 'revokeOperatorKey',
  summary: 'Revoke one key of an operator',
  text: 'By its `hash`. The others stay; it ends everywhere within 60 seconds.',
  answer: revokedOperatorKey,
};

export const createOperatorKey: Description = {
  ...operated,
  id: 'createOperatorKey',
  summary: 'Make a further key of an operator',
  answer: createdOperator,
  creates: true,
};

export const deleteOperator: Description = {
  ...managed,
  id: 'deleteOperator',
  summary: 'Remove an operator',
  text: 'Its keys end, its endpoints retire, its nodes leave. Receipts and histories stay, and nobody gets its id again.',
  answer: deletedOperator,
};

export const listEndpoints: Description = {
  ...operated,
  id: 'listEndpoints',
  summary: 'List registered endpoints',
  query: registeredQuery,
  example: { state: 'probation' },
  answer: registeredEndpointList,
};

export const registerEndpoint: Description = {
  ...operated,
  id: 'registerEndpoint',
  summary: 'Register an endpoint',
  text: 'At a public https address, or a host that the deployment names. Serve `challenge.body` at `challenge.url` to prove that it is yours, then ask for a probe; what a manager registers needs no proof. It is probed and enters traffic in stages. Its `key` is kept sealed, sent to its own origin only, and never shown again.',
  body: createEndpoint,
  example: {
    id: 'rack-1',
    model: 'qwen/qwen3-8b',
    url: 'https://gpu.example.com/v1',
    operator: 'alice',
    engine: 'vllm',
    context: 32768,
    price: { prompt: 0.02, completion: 0.06 },
  },
  answer: registeredEndpointData,
  creates: true,
};

export const getEndpoint: Description = {
  ...operated,
  id: 'getEndpoint',
  summary: 'Describe a registered endpoint with its history',
  answer: registeredEndpointData,
};

export const updateEndpoint: Description = {
  ...operated,
  id: 'updateEndpoint',
  summary: 'Change a registered endpoint, drain it, or return it to service',
  text: 'What is absent stays. What makes another endpoint of it is probed again; at another origin it must be proven again, and its key is dropped unless a new one comes along. Quarantine is for managers.',
  body: updateEndpointBody,
  example: { price: { prompt: 0.03, completion: 0.09 } },
  answer: registeredEndpointData,
};

export const retireEndpoint: Description = {
  ...operated,
  id: 'retireEndpoint',
  summary: 'Retire a registered endpoint',
  text: 'For good; its history and receipts stay.',
  answer: registeredEndpointData,
};

export const probeEndpoint: Description = {
  ...operated,
  id: 'probeEndpoint',
  summary: 'Look at a registered endpoint now',
  text: 'Its challenge first, where it has one to prove. At most once in ten seconds.',
  answer: probedEndpoint,
};

export const createJoinToken: Description = {
  ...operated,
  id: 'createJoinToken',
  summary: 'Make a token that joins one node',
  text: 'For `headrace node join`, once. A node of the manifest (`link: tunnel`) needs a token that a manager made for exactly its name.',
  body: createJoinTokenBody,
  example: { operator: 'alice', expires_s: 3600 },
  answer: mintedJoinToken,
  creates: true,
};

export const joinNode: Description = {
  ...operated,
  key: 'join token',
  id: 'joinNode',
  summary: 'Join as a node',
  text: 'What `headrace node join` sends. A token that was used is a 409; so is a name that another node has. The same node joins again with a new token and its own public key, or with no token and `Authorization: Node …`, signed by that key: what it serves is replaced then, and price, countries and concurrency stay where it does not name them.',
  body: joinNodeBody,
  example: {
    node: 'rig-4090',
    public_key: '11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=',
    models: [{ upstream_model: 'Qwen/Qwen3-8B-FP8', model: 'qwen/qwen3-8b', price: { prompt: 0.02, completion: 0.06 } }],
    description: {
      agentVersion: '0.1.0',
      engine: { name: 'vllm', version: '0.12.0' },
      gpu: { name: 'RTX 4090', count: 1, memoryBytes: 25757220864 },
      models: [
        {
          upstreamModel: 'Qwen/Qwen3-8B-FP8',
          context: 32768,
          quantization: 'fp8',
          kvCache: 'turboquant_4bit_nc',
          capabilities: ['tools', 'logprobs'],
          capacity: { poolTokens: 210000, maxSequences: 64 },
          measured: null,
          predicted: { ttftMs: 140, tpotMs: 9, throughput: null },
        },
      ],
    },
  },
  answer: joinedNode,
  creates: true,
};

export const listNodes: Description = {
  ...operated,
  id: 'listNodes',
  summary: 'List nodes',
  query: nodesQuery,
  text: 'As they were when their links last opened or closed. Nodes may also sign for themselves: `Authorization: Node <id>.<epoch ms>.<signature>`.',
  answer: nodeList,
};

export const getNode: Description = {
  ...operated,
  id: 'getNode',
  summary: 'Describe a node as its link says now',
  text: '`linked` is null where its link does not answer in two seconds. A node may sign for itself.',
  answer: nodeData,
};

export const drainNode: Description = {
  ...operated,
  id: 'drainNode',
  summary: 'Send a node nothing new, or take that back',
  text: 'What is under way is finished. A node may sign for itself.',
  body: drainNodeBody,
  example: { on: true },
  answer: nodeData,
};

export const leaveNode: Description = {
  ...operated,
  id: 'leaveNode',
  summary: 'Take a node out of the deployment',
  text: 'Its endpoints retire. A node may sign for itself.',
  answer: deletedNode,
};
