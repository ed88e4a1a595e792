import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { startInOwnProcess } from './subject.ts';
import { startHelper } from './helper-process.ts';
import { cpuMicros } from './process-usage.ts';
import { median } from './statistics.ts';
const up = await startHelper('./upstream.ts'), load = await startHelper('./load.ts');
const H = `{ 'content-type': 'application/json', authorization: 'Bearer x' }`;
const handlers: Record<string, string> = {
  pass: `return fetch(env.UPSTREAM, { method: r.method, headers: r.headers, body: r.body });`,
  reqText: `const t = await r.text(); return fetch(env.UPSTREAM, { method: 'POST', headers: ${H}, body: t });`,
  both: `const t = JSON.parse(await r.text()); const a = await fetch(env.UPSTREAM, { method: 'POST', headers: ${H}, body: JSON.stringify(t) }); return Response.json(JSON.parse(await a.text()));`,
  bothFlat: `const t = JSON.parse(await r.text()); const a = await fetch(env.UPSTREAM, { method: 'POST', headers: ${H}, body: JSON.stringify(t) }); const s = JSON.stringify(JSON.parse(await a.text())); return new Response(s, { headers: { 'content-type': 'application/json' } });`,
  signal: `const t = JSON.parse(await r.text()); const c = new AbortController(); const a = await fetch(env.UPSTREAM, { method: 'POST', headers: ${H}, body: JSON.stringify(t), redirect: 'manual', signal: c.signal }); return Response.json(JSON.parse(await a.text()));`,
  timer: `const t = JSON.parse(await r.text()); const c = new AbortController(); const h = setTimeout(() => c.abort(), 5000); const a = await fetch(env.UPSTREAM, { method: 'POST', headers: ${H}, body: JSON.stringify(t), redirect: 'manual', signal: c.signal }); const o = JSON.parse(await a.text()); clearTimeout(h); return Response.json(o);`,
  reqSignal: `r.signal.addEventListener('abort', () => {}); const t = JSON.parse(await r.text()); const a = await fetch(env.UPSTREAM, { method: 'POST', headers: ${H}, body: JSON.stringify(t) }); return Response.json(JSON.parse(await a.text()));`,
  waitUntil: `const t = JSON.parse(await r.text()); const a = await fetch(env.UPSTREAM, { method: 'POST', headers: ${H}, body: JSON.stringify(t) }); const o = JSON.parse(await a.text()); x.waitUntil(Promise.resolve()); return Response.json(o);`,
  linger: `const t = JSON.parse(await r.text()); const a = await fetch(env.UPSTREAM, { method: 'POST', headers: ${H}, body: JSON.stringify(t) }); const o = JSON.parse(await a.text()); x.waitUntil(new Promise(f => setTimeout(f, 5))); return Response.json(o);`,
  share: `const t = JSON.parse(await r.text()); const a = await fetch(env.UPSTREAM, { method: 'POST', headers: ${H}, body: JSON.stringify(t) }); const o = JSON.parse(await a.text()); if (!globalThis.p) { globalThis.p = new Promise(f => setTimeout(() => { globalThis.p = null; f(); }, 5)); } x.waitUntil(globalThis.p); return Response.json(o);`,
};
const subjects: any[] = []; const names = process.argv.slice(2).length ? process.argv.slice(2) : Object.keys(handlers);
for (const n of names) {
  const { started, pid } = await startInOwnProcess(async () => { const m = new Miniflare(convertV4MiniflareOptions({ modules: true, script: `import { env } from 'cloudflare:workers'; const net = env.NETWORK; globalThis.fetch = (i, o) => net.fetch(i, o); export default { async fetch(r, env, x) { ${handlers[n]} } }`, compatibilityDate: '2026-11-01', compatibilityFlags: ['nodejs_compat', 'enable_request_signal'], bindings: { UPSTREAM: `http://127.0.0.1:${up.port}/v1/chat/completions` }, serviceBindings: { NETWORK: { network: { allow: ['public', 'private'] } } }, port: 0, unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }] })); await m.ready; return m; });
  subjects.push({ n, pid, m: started, url: (await started.unsafeGetDirectURL()).href });
}
const out: Record<string, number[][]> = {}; const ratios: Record<string, number[]> = {};
for (let round = 0; round < 7; round++) { const row: any = {}; for (let i = 0; i < subjects.length; i++) { const s = subjects[(i + round) % subjects.length];
  const c = cpuMicros(s.pid)!; const r: any = await load.ask({ url: s.url, key: 'x', streaming: false, connections: 8, rampMs: 0, durationMs: 1000 });
  await new Promise((r) => setTimeout(r, 100));
  row[s.n] = [r.requests / r.elapsedMs * 1000, (cpuMicros(s.pid)! - c) / r.requestsTotal, r.durationMs.p50, r.failures];
  } if (round) for (const n of names) { (out[n] ??= []).push(row[n]); (ratios[n] ??= []).push(row[n][0] / row[names[0]!][0]); } }
for (const [n, rows] of Object.entries(out)) console.log(n.padEnd(10), 'rps, cpu, p50, fail', [0, 1, 2, 3].map((k) => median(rows.map((r) => r[k]!)).toFixed(2)).join('  '), 'ratio', median(ratios[n]!).toFixed(2));
for (const s of subjects) await s.m.dispose(); up.stop(); load.stop(); process.exit(0);
