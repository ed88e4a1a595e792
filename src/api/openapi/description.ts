/** What is said about an operation of the API. The description is read by people and generators; the Worker never loads it. */
import type { z } from 'zod';

/** Groups of operations, in the order of the document. */
export const TAGS = {
  Conversations: 'Text from models: one surface for each client API. All are routed, metered and explained alike.',
  'Vectors and media': 'Embeddings, rankings, images and audio, answered whole.',
  Routing: 'Why a request goes where it goes, and where it went.',
  Catalogue: 'Models, endpoints and providers. Open to everybody; a key adds what is its team’s own.',
  Account: 'What a key may do and has spent.',
  Supply: 'Operators, the endpoints that they register, and the nodes that join; for holders of an operator key or a management key.',
  Keys: 'Inference keys, for the holders of a management key.',
  Deployment: 'The manifest as code, policies with their versions, and who changed what; for the holders of a management key.',
  Router: 'The router itself.',
} as const;
export type Tag = keyof typeof TAGS;

/** Which key an operation takes: `any` kind, an `inference`, `management` or `operator` key (managers do what operators do), a `join token`, an `optional` one, or `none`. */
export type KeyNeed = 'any' | 'inference' | 'management' | 'operator' | 'join token' | 'optional' | 'none';

export interface Description {
  /** Unique, camelCase, a verb first: generators name methods after it. */
  id: string;
  tag: Tag;
  summary: string;
  /** More, in Markdown of paragraphs and `code`. */
  text?: string;
  key: KeyNeed;
  /** Where one pattern serves several paths: which one this is. */
  path?: string;
  query?: z.ZodObject;
  /** The JSON body. */
  body?: z.ZodType;
  /** The same as `multipart/form-data`, where that is taken too. */
  form?: z.ZodType;
  /** A body or query that works. */
  example?: Record<string, unknown>;
  /** The answer's JSON, or its media type where it is something else. */
  answer: z.ZodType | MediaType;
  /** Further media types of the answer. */
  alsoAnswers?: readonly MediaType[];
  /** One event of the stream that `stream: true` asks for. */
  events?: z.ZodType;
  /** It decides as a generation would, and generates nothing. */
  plansOnly?: true;
  /** It makes something: success is 201. */
  creates?: true;
  /** It becomes a WebSocket: success is 101. */
  upgrades?: true;
  errors?: ErrorShape;
}

export type MediaType = `${string}/${string}`;

/** OpenAI's error body with OpenRouter's integer code, or Anthropic's. */
export type ErrorShape = 'chat' | 'messages';

/** Tells whether it plans a route, for real or to explain it. */
export function routes({ body, key }: Description): boolean {
  return body !== undefined && key === 'inference';
}

/** Tells whether it makes a generation: something that an endpoint serves, that is charged and has a receipt. */
export function generates(description: Description): boolean {
  return routes(description) && description.plansOnly !== true;
}
