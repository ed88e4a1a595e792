/** Endpoints for everything that is answered whole, with what they say; their models are `test/<id>`. */
import type { EndpointSpec } from './house.ts';
import { sendJson } from './openai-scripts.ts';
import type { Script, ScriptedUpstream } from './scripted-upstream.ts';

/** USD: prompt and character per million, the others each. */
const OPERATIONS = {
  embedder: ['embeddings', { prompt: 1 }],
  reranker: ['rerank', { search: 0.002 }],
  painter: ['images', { image: 0.04 }],
  speaker: ['speech', { character: 15 }],
  listener: ['transcription', { second: 0.0001 }],
} as const;
type UnitEndpoint = keyof typeof OPERATIONS;

export const UNIT_ENDPOINTS: readonly EndpointSpec[] = Object.entries(OPERATIONS).map(([id, [operation, price]]) => ({
  id,
  model: unitModel(id as UnitEndpoint),
  capabilities: [operation],
  price,
}));

/** Names the model of a unit endpoint. */
export function unitModel(endpoint: UnitEndpoint): string {
  return `test/${endpoint}`;
}

/** Lets the endpoints answer. */
export function scriptUnits(upstream: ScriptedUpstream): void {
  for (const [id, script] of Object.entries(SCRIPTS)) upstream.script(id, script);
}

/** What `speaker` says, whatever it is asked. */
export const AUDIO = Buffer.from(Array.from({ length: 3000 }, (_, index) => index % 251));
/** The vector of an input: its length in eighths, then constants, all exact in 32 bits. */
export const vectorOf = (input: string | readonly number[]): number[] => [input.length / 8, 0.25, -0.5];
/** What `painter` paints, in base64. */
export const PICTURE = 'iVBORw0KGgo=';

/** Counts eight tokens. */
const embed: Script = ({ body }, response) => {
  const { input, encoding_format: format } = body as { input: string | string[] | number[] | number[][]; encoding_format?: string };
  const inputs =
    typeof input === 'string' || typeof input[0] === 'number' ? [input as string | number[]] : (input as string[] | number[][]);
  const data = inputs.map((one, index) => {
    const vector = vectorOf(one);
    const embedding = format === 'base64' ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector;
    return { object: 'embedding', index, embedding };
  });
  sendJson(response, 200, { object: 'list', data, model: 'upstream-model', usage: { prompt_tokens: 8, total_tokens: 8 } });
};

/** Likes longer documents better. */
const rerank: Script = ({ body }, response) => {
  const { documents, top_n: top } = body as { documents: string[]; top_n?: number };
  const results = documents
    .map((text, index) => ({ index, relevance_score: Math.min(1, text.length / 100) }))
    .toSorted((one, other) => other.relevance_score - one.relevance_score)
    .slice(0, top);
  sendJson(response, 200, { id: 'rr-1', results, meta: { billed_units: { search_units: 1 } } });
};

const paint: Script = ({ body }, response) =>
  sendJson(response, 200, { created: 1, data: Array.from({ length: Number(body['n'] ?? 1) }, () => ({ b64_json: PICTURE })) });

const speak: Script = (_, response) => void response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(AUDIO);

/** Hears four seconds. */
const listen: Script = (_, response) => sendJson(response, 200, { text: 'Hello there.', usage: { type: 'duration', seconds: 4 } });

const SCRIPTS: Record<UnitEndpoint, Script> = { embedder: embed, reranker: rerank, painter: paint, speaker: speak, listener: listen };
