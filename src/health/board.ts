/** HealthBoard: the Durable Object in which the isolates of a region meet over a group of models. */
import { DurableObject } from 'cloudflare:workers';
import type { NodeLoadReport } from '#schema/node-load-report';
import { concerns, REGISTRY_BOARD } from './board-name.ts';
import { JOBS_ISOLATE_ID, type BoardAnswer, type BoardPort, type BoardReport, type LoadPort } from './board-port.ts';
import { createBoardState, type BoardRecord, type BoardState } from './board-state.ts';

const SAVE_INTERVAL_MS = 30_000;
/** A board that has just started writes down, and tells the registry of itself, this soon after its first report. */
const FIRST_SAVE_AFTER_MS = 1_000;
/** A board tells the registry of itself this often while it has traffic. */
const REGISTER_INTERVAL_MS = 3_600_000;
/** A board that the registry has not heard of for a day has no traffic. */
const REGISTERED_FOR_MS = 86_400_000;
const BOARDS_MAX = 500;
/** How long the registry goes by the list of boards that it has read. */
const BOARDS_READ_INTERVAL_MS = 10_000;
/** Endpoints or operators of one stored value: well below Cloudflare's limit of 2 MB. */
const CHUNK = 64;

const RECORD_KEY = 'record';
const NAME_KEY = 'name';
const BOARD_PREFIX = 'board ';

/** The bindings that a HealthBoard needs. */
export interface BoardEnv {
  HEALTH_BOARD: DurableObjectNamespace<HealthBoard>;
}

/** What stands under RECORD_KEY; the lists stand in chunks beside it. */
interface StoredRecord extends Pick<BoardRecord, 'protocol' | 'savedAtMs'> {
  endpointChunks: number;
  operatorChunks: number;
}

/** Answers from memory; what it knows is written down every half minute, so that a restart keeps the estimates. */
export class HealthBoard extends DurableObject<BoardEnv> implements BoardPort, LoadPort {
  readonly #state: BoardState;
  #name: string | null = null;
  #alarmPlanned = false;
  #hasSaved = false;
  #registeredAtMs = -Infinity;
  #boards: { names: readonly string[]; readAtMs: number } = { names: [], readAtMs: -Infinity };

  constructor(state: DurableObjectState, env: BoardEnv) {
    super(state, env);
    this.#state = createBoardState({ now: () => this.now() });
    void state.blockConcurrencyWhile(() => this.#restore());
  }

  /** Reads the clock; tests move it. */
  protected now(): number {
    return Date.now();
  }

  /** Takes an isolate's report and answers with what all have seen. */
  async exchange(report: BoardReport): Promise<BoardAnswer> {
    const answer = this.#state.exchange(report);
    if (report.isolateId !== JOBS_ISOLATE_ID && answer.endpoints.length > 0) await this.#planAlarm(report.board ?? null);
    return answer;
  }

  /** Takes what a node says of its load. */
  async hearLoad(report: NodeLoadReport): Promise<void> {
    this.#state.hearLoad(report);
  }

  /**
   * Passes what a node says of its load on to every board that stands for one of its models, on the board named `registry`. A board that
   * does not answer hears the next report.
   */
  async reportLoad(report: NodeLoadReport): Promise<void> {
    const boards = await this.#knownForLoads();
    const told = boards.map(async (name) => {
      const endpoints = report.endpoints.filter(({ modelId }) => concerns(name, modelId));
      if (endpoints.length > 0) await this.env.HEALTH_BOARD.getByName(name).hearLoad({ ...report, endpoints });
    });
    await Promise.allSettled(told);
  }

  /** Takes a board's name down, on the board named `registry`. Ignores names past the 500th. */
  async register(name: string): Promise<void> {
    const { storage } = this.ctx;
    const known = await storage.list<number>({ prefix: BOARD_PREFIX, limit: BOARDS_MAX });
    const isKnown = known.has(BOARD_PREFIX + name);
    if (isKnown || known.size < BOARDS_MAX) await storage.put(BOARD_PREFIX + name, this.now());
  }

  /** Lists the boards that have had traffic within a day, on the board named `registry`. */
  async known(): Promise<string[]> {
    const { storage } = this.ctx;
    const known = [...(await storage.list<number>({ prefix: BOARD_PREFIX, limit: BOARDS_MAX }))];
    const quiet = known.filter(([, registeredAtMs]) => this.now() - registeredAtMs > REGISTERED_FOR_MS);
    for (const [key] of quiet) await storage.delete(key);
    return known.filter((entry) => !quiet.includes(entry)).map(([key]) => key.slice(BOARD_PREFIX.length));
  }

  /** Writes down what is worth keeping. The next report plans the next time. */
  override async alarm(): Promise<void> {
    this.#alarmPlanned = false;
    this.#hasSaved = true;
    await this.#save();
    await this.#register();
  }

  /** The boards that there are, as of the last ten seconds: every node reports every few. */
  async #knownForLoads(): Promise<readonly string[]> {
    const nowMs = this.now();
    const { readAtMs } = this.#boards;
    if (nowMs < readAtMs || nowMs - readAtMs >= BOARDS_READ_INTERVAL_MS) this.#boards = { names: await this.known(), readAtMs: nowMs };
    return this.#boards.names;
  }

  async #planAlarm(name: string | null): Promise<void> {
    if (this.#alarmPlanned) return;
    this.#alarmPlanned = true;
    this.#name ??= name;
    const afterMs = this.#hasSaved ? SAVE_INTERVAL_MS : FIRST_SAVE_AFTER_MS;
    // What cannot be planned is planned with the next report; the answer does not fail for it.
    await this.ctx.storage.setAlarm(Date.now() + afterMs).catch(() => (this.#alarmPlanned = false));
  }

  async #save(): Promise<void> {
    const { endpoints, operators, ...head } = this.#state.save();
    const [endpointChunks, operatorChunks] = [chunked(endpoints), chunked(operators)];
    const stored: StoredRecord = { ...head, endpointChunks: endpointChunks.length, operatorChunks: operatorChunks.length };
    await this.ctx.storage.put({
      [RECORD_KEY]: stored,
      ...(this.#name !== null && { [NAME_KEY]: this.#name }),
      ...Object.fromEntries(endpointChunks.map((chunk, place) => [`endpoints ${place}`, chunk])),
      ...Object.fromEntries(operatorChunks.map((chunk, place) => [`operators ${place}`, chunk])),
    });
  }

  async #restore(): Promise<void> {
    const { storage } = this.ctx;
    const stored = await storage.get<StoredRecord>(RECORD_KEY);
    if (stored === undefined) return;
    this.#name = (await storage.get<string>(NAME_KEY)) ?? null;
    const read = async (list: string, chunks: number): Promise<unknown[]> => {
      const keys = Array.from({ length: chunks }, (_, place) => `${list} ${place}`);
      const found = await storage.get<unknown[]>(keys);
      return keys.flatMap((key) => found.get(key) ?? []);
    };
    const endpoints = await read('endpoints', stored.endpointChunks);
    const operators = await read('operators', stored.operatorChunks);
    this.#state.restore({ ...stored, endpoints, operators });
  }

  /** A registry that does not answer is told with the next alarm. */
  async #register(): Promise<void> {
    if (this.#name === null || this.now() - this.#registeredAtMs < REGISTER_INTERVAL_MS) return;
    const registry = this.env.HEALTH_BOARD.getByName(REGISTRY_BOARD);
    await registry.register(this.#name).then(
      () => (this.#registeredAtMs = this.now()),
      () => undefined,
    );
  }
}

function chunked<Item>(items: readonly Item[]): Item[][] {
  return Array.from({ length: Math.ceil(items.length / CHUNK) }, (_, place) => items.slice(place * CHUNK, (place + 1) * CHUNK));
}
