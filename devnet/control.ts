/** The control surface: see every endpoint, and switch faults, habits, speed and cut while it runs. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isFields } from './body.ts';
import { createCounters, CUT_DEFAULT, type Endpoint } from './endpoint.ts';
import { FAULT_NAMES, FAULTS, isFaultName } from './faults.ts';
import { readJson, sendJson } from './http.ts';

const SPEED_MAX = 1_000_000;
const FIELDS = ['faults', 'habits', 'speed', 'cut'];

/** Describes what is wrong with a control request. */
interface ControlError {
  field: string;
  message: string;
  allowed?: readonly string[];
}

type Setting = Partial<Pick<Endpoint, 'faults' | 'habits' | 'speed' | 'cut'>>;

function describe(endpoint: Endpoint, origin: string): Record<string, unknown> {
  const { card, slots } = endpoint;
  return {
    id: card.id,
    supply: card.supply,
    dialect: card.dialect,
    url: `${origin}/${card.id}/v1`,
    models: card.models.map(({ id, upstreamModel, price }) => ({ id, upstream_model: upstreamModel, price })),
    faults: [...endpoint.faults],
    habits: endpoint.habits ? card.habits : [],
    speed: endpoint.speed,
    cut: endpoint.cut,
    running: slots.runningSequences(),
    waiting: slots.waitingSequences(),
    counters: endpoint.counters,
  };
}

/** Checks a control body. Fields that are left out keep their value; nothing is applied unless all of it is valid. */
function parseSetting(body: unknown): Setting | ControlError {
  if (!isFields(body)) return { field: 'body', message: 'must be a JSON object', allowed: FIELDS };
  const stranger = Object.keys(body).find((name) => !FIELDS.includes(name));
  if (stranger !== undefined) return { field: stranger, message: 'is not a field of this endpoint', allowed: FIELDS };
  const { faults, habits, speed, cut } = body;
  const setting: Setting = {};
  if (faults !== undefined) {
    if (!Array.isArray(faults)) return { field: 'faults', message: 'must be a list of fault names', allowed: FAULT_NAMES };
    const wrong = faults.findIndex((fault) => !isFaultName(fault));
    if (wrong >= 0) return { field: `faults[${wrong}]`, message: 'is not a fault', allowed: FAULT_NAMES };
    setting.faults = new Set(faults.filter(isFaultName));
  }
  if (habits !== undefined) {
    if (typeof habits !== 'boolean') return { field: 'habits', message: 'must be a boolean', allowed: ['true', 'false'] };
    setting.habits = habits;
  }
  if (speed !== undefined) {
    const valid = typeof speed === 'number' && speed > 0 && speed <= SPEED_MAX;
    if (!valid) return { field: 'speed', message: `must be a number above 0, at most ${SPEED_MAX}`, allowed: [`(0, ${SPEED_MAX}]`] };
    setting.speed = speed;
  }
  if (cut !== undefined) {
    const valid = typeof cut === 'number' && cut >= 0 && cut < 1;
    if (!valid) return { field: 'cut', message: 'must be a number from 0, below 1', allowed: ['[0, 1)'] };
    setting.cut = cut;
  }
  return setting;
}

function sendControlError(response: ServerResponse, status: number, error: ControlError): void {
  sendJson(response, status, { error: { ...error, message: `${error.field} ${error.message}` } });
}

/** Answers `/control` and `/control/<endpoint-id>`. `startSpeed` is what a reset goes back to. */
export async function serveControl(
  place: { endpoints: ReadonlyMap<string, Endpoint>; origin: string; startSpeed: number },
  id: string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { endpoints, origin } = place;
  if (id === undefined) {
    if (request.method !== 'GET') return sendControlError(response, 405, { field: 'method', message: 'must be GET', allowed: ['GET'] });
    return sendJson(response, 200, { faults: FAULTS, endpoints: [...endpoints.values()].map((endpoint) => describe(endpoint, origin)) });
  }
  const endpoint = endpoints.get(id);
  if (endpoint === undefined) {
    return sendControlError(response, 404, { field: 'endpoint', message: 'is not one of this devnet', allowed: [...endpoints.keys()] });
  }
  switch (request.method) {
    case 'GET':
      break;
    case 'DELETE':
      Object.assign(endpoint, { faults: new Set(), habits: true, speed: place.startSpeed, cut: CUT_DEFAULT, counters: createCounters() });
      break;
    case 'PUT': {
      const read = await readJson(request);
      if (typeof read === 'string')
        return sendControlError(response, 400, { field: 'body', message: 'must be a JSON object', allowed: FIELDS });
      const setting = parseSetting(read.value);
      if ('field' in setting) return sendControlError(response, 400, setting);
      Object.assign(endpoint, setting);
      break;
    }
    default:
      return sendControlError(response, 405, { field: 'method', message: 'must be GET, PUT or DELETE', allowed: ['GET', 'PUT', 'DELETE'] });
  }
  sendJson(response, 200, describe(endpoint, origin));
}
