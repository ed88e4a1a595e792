import { startBareWorker } from '#bench/subject';
const s = await startBareWorker('passThrough', 'pass-through.ts', 'http://127.0.0.1:9/');
console.log(s.url, s.pid);
import fs from 'node:fs';
console.log(fs.readFileSync(`/proc/${s.pid}/cmdline','utf8'`.replace(`','utf8'`,''),'utf8').replaceAll('\0',' '));
await s.stop();
