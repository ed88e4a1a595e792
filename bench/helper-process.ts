/** Starts the upstream and the load generator as processes of their own, and talks to them one message at a time. */
import { fork } from 'node:child_process';
import path from 'node:path';

/** A child that answers each message with one message. */
export interface HelperProcess {
  pid: number;
  /** What it said when it was ready: its port, or 0. */
  port: number;
  ask<Answer>(message: object): Promise<Answer>;
  stop(): void;
}

/** Starts `file` (a sibling of this one) and waits for its `{ ready: port }`. Rejects when it exits first. */
export async function startHelper(file: string): Promise<HelperProcess> {
  const child = fork(path.join(import.meta.dirname, file), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced', // plain JSON would turn NaN into null
  });
  const nextMessage = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error(`${file} stopped`));
      child.once('exit', onExit);
      child.once('message', (message) => {
        child.off('exit', onExit);
        resolve(message);
      });
    });
  const { ready } = (await nextMessage()) as { ready: number };
  return {
    pid: child.pid as number,
    port: ready,
    async ask<Answer>(message: object) {
      const answer = nextMessage();
      child.send(message);
      return (await answer) as Answer;
    },
    stop: () => void child.kill('SIGKILL'),
  };
}
