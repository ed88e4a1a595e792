import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startDevnet } from '#devnet/devnet';
import { PATIENCE } from '#test/support/patience';
import { chat, startFleet, until } from './support.ts';

const run = promisify(execFile);
const fileOf = (name: string): string => fileURLToPath(new URL(`../../devnet/${name}`, import.meta.url).href);

test('a busy port is an EADDRINUSE for the caller', async () => {
  const devnet = await startFleet();
  await expect(startDevnet({ port: devnet.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('stop ends open streams and may be called twice', async () => {
  const devnet = await startFleet(0.01);
  const open = chat(devnet, 'rig-4090-a', { stream: true });
  await until(devnet, 'rig-4090-a', (state) => state.running === 1);
  await Promise.all([devnet.stop(), devnet.stop()]);
  expect((await open).whole).toBe(false);
});

test('stop leaves no open handle: a process with a hanging stream ends by itself', async () => {
  const script = `
    import { startDevnet } from ${JSON.stringify(fileOf('devnet.ts'))};
    const devnet = await startDevnet({ port: 0, speed: 0.01 });
    const body = JSON.stringify({ model: 'Qwen/Qwen3-8B', stream: true, messages: [{ role: 'user', content: 'x' }] });
    const open = fetch(devnet.url + '/miner-swift/v1/chat/completions', { method: 'POST', body }).catch(() => 'broken');
    for (;;) {
      const state = await (await fetch(devnet.url + '/control/miner-swift')).json();
      if (state.running === 1) break;
    }
    await devnet.stop();
    console.log(await open);
  `;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { timeout: PATIENCE.timeout });
  expect(stdout.trim()).toBe('broken');
});

test('the command prints its help, and names a wrong option in one line', async () => {
  const { stdout } = await run(process.execPath, [fileOf('main.ts'), '--help']);
  expect(stdout).toContain('--port N');
  await expect(run(process.execPath, [fileOf('main.ts'), '--port', 'x'])).rejects.toMatchObject({
    code: 1,
    stderr: 'devnet: --port must be an integer from 0 to 65535\n',
  });
});
