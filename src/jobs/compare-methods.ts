/** The two ways of comparing an endpoint with others of its model: how likely each held what, or what each said. */
import type { CatalogSnapshot, Offer } from '#schema/catalog';
import type { ChatRequest } from '#schema/chat';
import type { ModelComparison } from '#schema/probe';
import type { Receipt } from '#schema/receipt';
import { compareWith, unanswered } from '#src/nodes/probe/compare';
import { compareText, type Said } from '#src/nodes/probe/compare-text';
import type { Trust } from '#src/nodes/probe/comparing-store';
import type { Fingerprint } from '#src/nodes/probe/fingerprint';
import { askFingerprint, fingerprintRequest, textRequest, type FingerprintEnd } from './ask-fingerprint.ts';
import { COMPARISON_KEY_ID, toCanaryReceipt } from './canary-receipt.ts';
import { chooseReferences, REFERENCES_MAX, type ChosenReference } from './choose-references.ts';
import type { CanaryPorts } from './send-canary.ts';

/** Prompts of one comparison. */
const PROMPTS = 4;
const TEXT_PROMPTS = 8;
/** Prompts at a time, and what all of one side take at most. */
const LANES = 2;
const SIDE_MS = 8_000;

/** What comparing one endpoint uses. */
export interface MethodPorts extends CanaryPorts {
  /** Answers whether this deployment has the endpoint's key. */
  isCallable(offer: Offer): boolean;
  /** Stores a receipt and what it posts. Never rejects. */
  book(receipt: Receipt): Promise<void>;
}

/** A way of comparing, and how many requests of each side it takes. */
export interface Method {
  requests: number;
  compare(round: Round): Promise<ModelComparison>;
}

/** One comparison. */
export interface Round {
  own: Offer;
  references: readonly ChosenReference[];
  before: ModelComparison | null;
  snapshot: CatalogSnapshot;
  ports: MethodPorts;
}

/** What a way of comparing is made of. */
interface Way<Told> {
  prompts: number;
  draw(model: string, random: () => number): ChatRequest;
  /** Null where the answer does not tell. */
  read(end: FingerprintEnd): Told | null;
  judge(answers: Answers<Told>, own: Offer, around: { before: ModelComparison | null; nowMs: number }): ModelComparison;
}

function methodOf<Told>({ prompts, draw, read, judge }: Way<Told>): Method {
  return {
    requests: prompts,
    async compare({ own, references, before, snapshot, ports }) {
      const requests = Array.from({ length: prompts }, () => draw(own.modelId, ports.random));
      const answers = await askBoth({ own, references, requests, snapshot, ports }, read);
      const nowMs = ports.now();
      return answers === null ? unanswered(before, nowMs) : judge(answers, own, { before, nowMs });
    },
  };
}

const BY_PROBABILITIES = methodOf<Fingerprint>({
  prompts: PROMPTS,
  draw: fingerprintRequest,
  read: ({ fingerprint }) => fingerprint,
  judge({ ours, theirs }, { quantization, kvCache }, around) {
    const references = theirs.map(({ offer, isSure, told }) => ({
      answers: told,
      quantization: offer.quantization,
      kvCache: offer.kvCache,
      isSure,
    }));
    return compareWith({ answers: ours, quantization, kvCache }, references, around);
  },
});

const BY_TEXT = methodOf<Said>({
  prompts: TEXT_PROMPTS,
  draw: textRequest,
  read: ({ said }) => said,
  judge: ({ ours, theirs }, _own, around) =>
    compareText(
      ours,
      theirs.map(({ told, isSure }) => ({ answers: told, isSure })),
      around,
    ),
});

/**
 * Chooses how an endpoint is compared: by log probabilities where it and others show them, else by text. Who has not answered with probabilities is
 * asked for text next, which nobody can decline alone.
 */
export function chooseMethod(
  own: Offer,
  offers: readonly Offer[],
  { trust, before, isCallable }: { trust: ReadonlyMap<string, Trust>; before: ModelComparison | null; isCallable(offer: Offer): boolean },
): { method: Method; references: ChosenReference[] } {
  if (!own.operations.has('chat') || !isCallable(own)) return { method: BY_TEXT, references: [] };
  const showing = own.capabilities.has('logprobs') ? chooseReferences(own, offers, trust, isCallable) : [];
  const saying = chooseReferences(own, offers, trust, isCallable, []);
  // Text alone needs several.
  const maySay = saying.length === REFERENCES_MAX;
  if (showing.length > 0 && !(before?.verdict === 'unanswered' && maySay)) return { method: BY_PROBABILITIES, references: showing };
  return { method: BY_TEXT, references: maySay ? saying : [] };
}

/** What both sides have told, prompt by prompt. */
interface Answers<Told> {
  ours: Told[];
  theirs: (ChosenReference & { told: Told[] })[];
}

interface Asking extends Pick<Round, 'own' | 'references' | 'snapshot' | 'ports'> {
  requests: readonly ChatRequest[];
}

/**
 * Asks the endpoint, then its references, so that one that does not answer costs nobody anything. Null where it has not answered every prompt;
 * references that have not are left out, because prompts are compared by their place.
 */
async function askBoth<Told>(
  { own, references, requests, snapshot, ports }: Asking,
  read: Way<Told>['read'],
): Promise<Answers<Told> | null> {
  const booked: Promise<void>[] = [];
  const askAll = async (offer: Offer): Promise<Told[] | null> => {
    const endsAtMs = ports.now() + SIDE_MS;
    const told: (Told | null)[] = requests.map(() => null);
    const left = [...requests.entries()];
    const lane = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const [place, request] = next;
        const end = await askFingerprint(offer, request, ports, endsAtMs);
        booked.push(ports.book(toCanaryReceipt(end, snapshot.version, ports.random, COMPARISON_KEY_ID)));
        told[place] = read(end);
        if (told[place] === null) left.length = 0;
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    const answered = told.filter((one) => one !== null);
    return answered.length < requests.length ? null : answered;
  };
  const ours = await askAll(own);
  const theirs = ours === null ? [] : await Promise.all(references.map(({ offer }) => askAll(offer)));
  await Promise.all(booked);
  if (ours === null) return null;
  const answered = theirs.flatMap((told, place) => {
    const reference = references[place];
    return told === null || reference === undefined ? [] : [{ ...reference, told }];
  });
  return { ours, theirs: answered };
}
