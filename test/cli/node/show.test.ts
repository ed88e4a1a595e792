import { describe, expect, it } from 'vitest';
import { createShow } from '#cli/node/show';
import type { NodeStatus } from '#cli/node/node-status';
import { plain, type Output } from '#cli/output';

function show(isJson: boolean) {
  const lines: string[] = [];
  const say = (text: string): void => void lines.push(text.trimEnd());
  const output: Output = { isJson, width: 80, paint: plain, say, raw: say, note: say, json: () => {}, answer: () => {} };
  return { lines, shown: createShow(output) };
}

const STATUS: NodeStatus = {
  linked: true,
  trouble: null,
  draining: false,
  load: { running: 3, waiting: 0, kvUsage: 0.414 },
  streams: 3,
  served: 1_280,
  failed: 0,
  completionTokens: 40_960,
};

const HELD = {
  endpoint: 'rig',
  charged: { prompt: 0.5, completion: 0.6 },
  held: { price: { prompt: 5, completion: 6 }, reason: 'it rose', state: 'held' },
} as const;

describe('what a person sees of a node', () => {
  it('is a line for each event, with the time', () => {
    const { lines, shown } = show(false);
    shown.event({ type: 'welcome', endpoints: ['rig', 'rig:b'], drained: false });
    shown.event({ type: 'state', endpoint: 'rig', state: 'probation', reason: null });
    shown.event({ type: 'state', endpoint: 'rig:b', state: 'quarantined', reason: 'the model is missing' });
    shown.event({ type: 'unlinked', reason: 'the connection was cut', againInMs: 1_250 });
    shown.event({ type: 'engine', there: false });
    shown.event({ type: 'draining', streams: 2 });
    shown.end(null, 1, STATUS);
    expect(lines.map((line) => line.replace(/^\d\d:\d\d:\d\d {2}/, ''))).toEqual([
      'linked; serving as rig, rig:b',
      'rig: probation, a small share of the traffic, growing with every clean completion',
      'rig:b: quarantined, the model is missing',
      'not linked: the connection was cut; coming again in 1.3 s',
      'the engine does not answer: requests are refused until it is back',
      'draining: finishing 2 requests; Ctrl-C again leaves at once',
      'left: 1,280 served, 40,960 tokens; 1 request cut off, which the router resumes elsewhere or ends with an error',
    ]);
  });

  it('says which price waits for a manager, and what is charged meanwhile', () => {
    const { lines, shown } = show(false);
    shown.taken('joined', { node: 'rig' }, { endpoints: ['rig'], heldPrices: [] });
    shown.taken('renewed', { node: 'rig' }, { endpoints: ['rig'], heldPrices: [HELD] });
    shown.taken('joined', {}, { endpoints: ['rig'], heldPrices: [{ ...HELD, charged: null, held: { ...HELD.held, state: 'rejected' } }] });
    expect(lines).toEqual([
      '  rig asks $5 in, $6 out per million tokens: a manager decides (it rose); charged meanwhile: $0.5 in, $0.6 out per million tokens',
      '  rig asks $5 in, $6 out per million tokens: a manager has rejected it (it rose)',
    ]);
  });

  it('is the status only when it has changed', () => {
    const { lines, shown } = show(false);
    shown.status(STATUS);
    shown.status({ ...STATUS });
    shown.status({ ...STATUS, linked: false, load: null, failed: 2 });
    expect(lines.map((line) => line.slice(10))).toEqual([
      '3 running, 0 waiting, cache 41 % · 1,280 served, 40,960 tokens',
      'not linked · load unknown · 1,280 served, 40,960 tokens, 2 failed',
    ]);
  });

  it('holds nothing that a terminal would obey, whoever said it', () => {
    const { lines, shown } = show(false);
    shown.event({ type: 'state', endpoint: 'r\u001b[2Jig', state: 'a\nb', reason: 'x\u202ey' });
    shown.event({ type: 'unlinked', reason: '\u001b]0;title\u0007', againInMs: null });
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    expect(lines.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });
});

describe('what a program sees of a node', () => {
  it('is one object a line, with fields as the API writes them', () => {
    const { lines, shown } = show(true);
    shown.event({ type: 'welcome', endpoints: ['rig'], drained: false });
    shown.event({ type: 'unlinked', reason: 'cut', againInMs: 12 });
    shown.status(STATUS);
    shown.status(STATUS);
    shown.end(null, 0, STATUS);
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.every(({ at }) => typeof at === 'string')).toBe(true);
    expect(events.map(({ at: _at, ...event }) => event)).toEqual([
      { event: 'linked', endpoints: ['rig'], drained: false },
      { event: 'unlinked', reason: 'cut', again_in_ms: 12 },
      {
        event: 'status',
        linked: true,
        load: { running: 3, waiting: 0, kv_usage: 0.414 },
        streams: 3,
        trouble: null,
        draining: false,
        served: 1_280,
        failed: 0,
        completion_tokens: 40_960,
      },
      { event: 'end', reason: null, cut: 0, served: 1_280, failed: 0, completion_tokens: 40_960 },
    ]);
  });

  it('tells programs of prices that are not charged, and that there are none', () => {
    const { lines, shown } = show(true);
    shown.taken('joined', { node: 'rig' }, { endpoints: ['rig'], heldPrices: [] });
    shown.taken('renewed', { node: 'rig' }, { endpoints: ['rig'], heldPrices: [HELD] });
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { event: 'joined', node: 'rig', endpoints: ['rig'], held_prices: [] },
      { event: 'renewed', node: 'rig', endpoints: ['rig'], held_prices: [HELD] },
    ]);
  });
});
