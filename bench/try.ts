import { startHeadrace } from './try-headrace.ts';
import { startHelper } from './helper-process.ts';
import { chatRequestBody } from './wire.ts';
const up = await startHelper('./upstream.ts');
const s = await startHeadrace(`http://127.0.0.1:${up.port}`);
for (const stream of [false, true, false]) { const r = await fetch(s.url, { method: 'POST', headers: { authorization: `Bearer ${s.key}`, 'content-type': 'application/json' }, body: chatRequestBody(stream) }); console.log(r.status, Object.fromEntries(r.headers), (await r.text()).slice(0, 1800)); }
await s.stop(); up.stop(); process.exit(0);
