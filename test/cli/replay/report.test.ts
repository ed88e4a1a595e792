import { readFileSync, existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLines } from '#cli/replay/lines';
import type { Choice, Compared, Outcome } from '#cli/replay/outcome';
import { toReport } from '#cli/replay/report';
import { sayReport } from '#cli/replay/say-report';
import { addOutcome, createTally, quantile } from '#cli/replay/tally';
import { plain } from '#cli/output';

const SUBJECT = {
  policy: { name: 'cheap' },
  since: '2027-01-01T00:00:00.000Z',
  until: '2027-01-08T00:00:00.000Z',
  team: null,
  catalogue: 'v1',
};

const CHEAP: Choice = {
  endpoint: 'miner',
  supply: 'subnet',
  tier: 'open',
  costNanoUsd: 1_000_000,
  predictedNanoUsd: 1_100_000,
  ttftMs: 900,
};
const SAFE: Choice = {
  endpoint: 'rig',
  supply: 'selfhosted',
  tier: 'zero_retention',
  costNanoUsd: 4_000_000,
  predictedNanoUsd: 4_400_000,
  ttftMs: 300,
};

let count = 0;
function outcomeOf(result: Partial<Compared> | 'no_inputs', over: Partial<Outcome> = {}): Outcome {
  const compared = { before: CHEAP, after: CHEAP, refusal: null, why: null, isFaithful: true, isSameCatalogue: true, doubts: [] };
  return {
    id: `gen-${count++}`,
    createdAtMs: 1_798_761_600_000,
    team: 'research',
    model: 'lab/model',
    result: result === 'no_inputs' ? result : { ...compared, ...result },
    ...over,
  };
}

function reportOf(...outcomes: Outcome[]) {
  const tally = createTally();
  for (const outcome of outcomes) addOutcome(tally, outcome);
  return toReport(SUBJECT, tally);
}

const REFUSED = outcomeOf(
  { after: null, refusal: { filter: 'H1', reason: 'proves tier open; at least blind is demanded' }, why: 'x' },
  { id: 'gen-refused' },
);
const MIXED = [
  outcomeOf({}),
  outcomeOf({ after: SAFE, why: 'H1: miner proves tier open' }, { team: 'clinic' }),
  REFUSED,
  outcomeOf({ before: null, after: SAFE, isFaithful: false }, { model: 'lab/other' }),
  outcomeOf({ before: null, after: null }),
  outcomeOf('no_inputs'),
];

describe('the report', () => {
  it('counts what goes elsewhere, is refused, newly served, and left out', () => {
    const report = reportOf(...MIXED);
    expect(report).toMatchObject({ recorded: 6, replayed: 5, skipped: { no_inputs: 1, no_levels: 0 } });
    expect(report.total).toMatchObject({ requests: 5, changed: 1, refused: 1, newly_served: 1, refused_both: 1, tier_up: 1, tier_down: 0 });
    expect(report.total.supply_moves).toEqual([{ from: 'subnet', to: 'selfhosted', requests: 1 }]);
    expect(report.refusals).toEqual([
      { filter: 'H1', requests: 1, reason: 'proves tier open; at least blind is demanded', example: 'gen-refused' },
    ]);
    expect(report.moves).toEqual([{ from: 'miner', to: 'rig', requests: 1, cost_usd: { before: 0.001, after: 0.004 } }]);
    expect(report.fidelity).toEqual({
      same_catalogue: { same_first: 4, other_first: 1 },
      other_catalogue: { same_first: 0, other_first: 0 },
    });
  });

  it('compares money only over requests that both policies serve', () => {
    const { total } = reportOf(...MIXED);
    expect(total.cost_usd).toEqual({ before: 0.002, after: 0.005, change_percent: 150 });
    expect(total.predicted_cost_usd).toEqual({ before: 0.0022, after: 0.0055, change_percent: 150 });
    expect(total).toMatchObject({ refused_cost_usd: 0.001, newly_served_cost_usd: 0.0044 });
  });

  it('has the sums of each model and team in the order of their names', () => {
    const { by_model, by_team } = reportOf(...MIXED);
    expect(by_model.map(({ model, requests }) => [model, requests])).toEqual([
      ['lab/model', 4],
      ['lab/other', 1],
    ]);
    expect(by_team.map(({ team, changed }) => [team, changed])).toEqual([
      ['clinic', 1],
      ['research', 0],
    ]);
  });

  it('is the same byte for byte for the same outcomes, and knows no time of its own', () => {
    expect(JSON.stringify(reportOf(...MIXED))).toBe(JSON.stringify(reportOf(...MIXED)));
  });

  it('says in words what may be doubted', () => {
    const { notes } = reportOf(
      ...MIXED,
      outcomeOf({ isSameCatalogue: false }),
      outcomeOf({ doubts: ['output_length', 'unmeasured', 'unmeasured_choice', 'home_lost'] }),
    );
    const said = notes.join('\n');
    for (const words of [
      'another version of the catalogue',
      'health was not recorded',
      'the output that they really had',
      'prompt cache',
      'do not hold',
    ])
      expect(said).toContain(words);
    expect(reportOf(outcomeOf({})).notes).toEqual([]);
  });

  it('reads for people: the verdict first, then models, teams, moves and reasons', () => {
    const text = sayReport(reportOf(...MIXED), { width: Infinity, paint: plain });
    expect(text).toMatch(/^Of 5 requests 1 would go elsewhere and 1 be refused, 1 newly served\./);
    for (const words of ['lab/model', 'clinic', '+150.0 %', 'subnet → selfhosted', 'proves tier open', 'gen-refused'])
      expect(text).toContain(words);
    expect(sayReport(reportOf(outcomeOf({})), { width: 80, paint: plain })).toMatch(/^Nothing would change for 1 request\./);
    expect(sayReport(reportOf(), { width: 80, paint: plain })).toMatch(/^Nothing was replayed\./);
  });
});

describe('a quantile', () => {
  it('is a value that was counted', () => {
    const counts = new Map([
      [300, 5],
      [100, 4],
      [900, 1],
    ]);
    expect([0, 0.4, 0.5, 0.9, 1].map((share) => quantile(counts, share))).toEqual([100, 100, 300, 300, 900]);
    expect(quantile(new Map(), 0.5)).toBeNull();
  });
});

describe('a file of lines', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'replay-lines-'));

  it('has one JSON object for each request', () => {
    const file = path.join(folder, 'out.jsonl');
    const lines = openLines(file);
    lines.write(MIXED);
    lines.keep();
    const read = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(read.map(({ outcome }) => outcome)).toEqual(['same', 'moved', 'refused', 'newly_served', 'refused_both', 'skipped: no_inputs']);
    expect(read[1]).toMatchObject({
      before_endpoint: 'miner',
      after_endpoint: 'rig',
      before_cost_usd: 0.001,
      why: 'H1: miner proves tier open',
    });
  });

  it('is CSV where its name says so, and no name of a model becomes a formula', () => {
    const file = path.join(folder, 'out.csv');
    const lines = openLines(file);
    lines.write([outcomeOf({}, { model: '=1+1' })]);
    lines.keep();
    const [header, line] = readFileSync(file, 'utf8').split(/\r?\n/);
    expect(header).toContain('id,created_at,team,model,outcome');
    expect(line).toContain(",'=1+1,same,miner,miner,");
  });

  it('is not there when the replay ended early', () => {
    const file = path.join(folder, 'half.jsonl');
    const lines = openLines(file);
    lines.write(MIXED);
    lines.drop();
    expect([existsSync(file), existsSync(`${file}.part`)]).toEqual([false, false]);
    expect(() => openLines(path.join(folder, 'no/such/folder.csv'))).toThrow(/cannot write/);
  });
});
