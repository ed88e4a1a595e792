/** Reads an answer to its end for a client and books its attempts, as the hall does with real ones. */
import { BROKEN_OFF, type AttemptFailure } from '#schema/attempt';
import type { Offer } from '#schema/catalog';
import type { RequestFacts } from '#schema/facts';
import type { ReplyStream } from '#schema/reply';
import type { AttemptEnd } from '#src/dispatch/launch';
import type { Reply } from '#src/dispatch/dispatch';
import { settleUsage } from '#src/metering/settle-usage';
import { addToTally, createTally, cutTally, isFinished, type Segment, type Tally } from '#src/metering/tally';
import type { Client } from '../contract.ts';
import { tokensIn } from './upstream.ts';

/** Hands an answer to its client, and ends every attempt that made a part of it. */
export async function relay(reply: Reply, facts: RequestFacts, { client, now }: { client: Client; now(): number }): Promise<void> {
  const { opened } = reply;
  if (opened.kind !== 'stream') throw new Error('a stream is answered as a stream');
  const tally = createTally();
  const failure = await handOut(opened.stream, tally, { client, now });
  book(reply, tally, { failure, promptTokens: facts.promptTokens });
  if (failure === null) client.complete();
  else client.fail(failure.kind);
}

/** Delivers until the end; returns what broke the answer off, or null. */
async function handOut(
  stream: ReplyStream,
  tally: Tally,
  { client, now }: { client: Client; now(): number },
): Promise<AttemptFailure | null> {
  for (;;) {
    const events = await stream.next();
    if (events === null) return isFinished(tally) ? null : BROKEN_OFF;
    for (const event of events) {
      if (event.kind === 'done') return null;
      if (event.kind === 'failure') return isFinished(tally) ? null : event.failure;
      if (event.kind === 'seam') cutTally(tally);
      if (event.kind !== 'chunk') continue;
      addToTally(tally, event, now());
      const tokens = event.choices.reduce((sum, { delta }) => sum + tokensIn(delta?.content ?? ''), 0);
      if (tokens > 0) client.deliver(tokens);
    }
  }
}

/** Ends the attempts that broke off and were gone on from, then the one that answered last. */
function book(reply: Reply, tally: Tally, { failure, promptTokens }: { failure: AttemptFailure | null; promptTokens: number }): void {
  const toUsed = (offer: Offer, segment: Segment, isWhole: boolean): Pick<AttemptEnd, 'usage' | 'firstTokenAtMs' | 'lastTokenAtMs'> => ({
    usage: settleUsage(segment, promptTokens, offer, isWhole),
    firstTokenAtMs: segment.firstTokenAtMs,
    lastTokenAtMs: segment.lastTokenAtMs,
  });
  for (const [place, broken] of reply.broken.entries()) {
    const segment = tally.broken[place];
    if (segment === undefined) throw new Error('an attempt was gone on from without a seam');
    broken.finish({ outcome: 'interrupted', failure: broken.failure, ...toUsed(broken.offer, segment, false) });
  }
  reply.finish({ outcome: failure === null ? 'completed' : 'interrupted', failure, ...toUsed(reply.offer, tally, failure === null) });
}
