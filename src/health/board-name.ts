/** Which board keeps a model's health: one per region and group of models, so that none has to hear of everything. */
import { digest } from '#schema/digest';
import { LOAD_REGISTRY } from '#schema/node-load-report';

const MODEL_GROUPS = 16;

/** The board that knows the names of the others. */
export const REGISTRY_BOARD = LOAD_REGISTRY;
/** The region of an isolate that does not know where it is, as in local development. */
export const LOCAL_REGION = 'local';

/** Where the boards of a region should stand, by lower-case continent. */
const LOCATION_HINTS: Readonly<Record<string, DurableObjectLocationHint>> = {
  af: 'afr',
  as: 'apac',
  eu: 'weur',
  na: 'enam',
  oc: 'oc',
  sa: 'sam',
};

/** Names the board of a model in a region. */
export function boardNameOf(region: string, modelId: string): string {
  return `${region}/${Number.parseInt(digest([modelId]).slice(-8), 16) % MODEL_GROUPS}`;
}

/** Tells whether a board keeps the health of a model in its region. */
export function concerns(boardName: string, modelId: string): boolean {
  return boardName === boardNameOf(boardName.slice(0, boardName.lastIndexOf('/')), modelId);
}

/** Reads the region of an isolate from the continent that Cloudflare names. */
export function regionOf(continent: unknown): string {
  return typeof continent === 'string' && /^[A-Z]{2}$/.test(continent) ? continent.toLowerCase() : LOCAL_REGION;
}

/** Tells where a board should stand; undefined leaves that to Cloudflare. */
export function locationHintOf(boardName: string): DurableObjectLocationHint | undefined {
  return LOCATION_HINTS[boardName.slice(0, boardName.indexOf('/'))];
}
