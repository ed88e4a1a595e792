import { startHeadrace } from './try-headrace.ts';
import { startBareWorker } from './subject.ts';
import { startHelper } from './helper-process.ts';
import { cpuMicros } from './process-usage.ts';
import { median } from './statistics.ts';
const up = await startHelper('./upstream.ts'), load = await startHelper('./load.ts');
const rep = (from: string | RegExp, to: string) => (s: string) => { if (s.replace(from, to) === s) throw new Error('no change ' + from); return s.replace(from, to); };
const variants: Record<string, (s: string) => string> = {
  full: (s) => s,
  noDrain: rep('await this.#planDrain();', ''),
  noFlush: rep(/await ports2?\d*\.account\(teamId\)\.flush\(batch, ask[0-9]*\)/, '({lease:null,refused:false})'),
  lin20: rep(/LINGER_MS = 5/, 'LINGER_MS = 20'),
  lin50: rep(/LINGER_MS = 5/, 'LINGER_MS = 50'),
  nd50: (s) => rep('await this.#planDrain();', '')(rep(/LINGER_MS = 5/, 'LINGER_MS = 50')(s)),
  noSettle: rep(/call\.waitUntil\(ledger\.settle\(([^;]*)\)\);/, 'void 0;'),
};
const subjects = [await startBareWorker('passThrough', 'pass-through.ts', `http://127.0.0.1:${up.port}/v1/chat/completions`)];
const names = ['pass'];
for (const v of process.argv.slice(2)) { (globalThis as any).mutate = variants[v]; subjects.push(await startHeadrace(`http://127.0.0.1:${up.port}`)); names.push(v); }
const out: Record<string, number[][]> = {};
for (let round = 0; round < 8; round++) for (const [i, s] of subjects.entries()) {
  const c = cpuMicros(s.pid)!; const r: any = await load.ask({ url: s.url, key: s.key, streaming: false, connections: 8, rampMs: 0, durationMs: 1000 });
  await new Promise((r) => setTimeout(r, 300));
  if (round) (out[names[i]!] ??= []).push([r.requests / r.elapsedMs * 1000, (cpuMicros(s.pid)! - c) / r.requestsTotal, r.durationMs.p50, r.durationMs.p99, r.failures]);
}
for (const [n, rows] of Object.entries(out)) console.log(n.padEnd(10), [0, 1, 2, 3, 4].map((k) => median(rows.map((r) => r[k]!)).toFixed(2)).join('  '), 'cpu min', Math.min(...rows.map((r) => r[1]!)).toFixed(0), 'rps max', Math.max(...rows.map((r) => r[0]!)).toFixed(0));
for (const s of subjects) await s.stop(); up.stop(); load.stop(); process.exit(0);
