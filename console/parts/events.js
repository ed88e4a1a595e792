/** Reads server-sent events (WHATWG HTML §9.2) from a response body. */

/** An event that is longer, in characters, is refused. */
const EVENT_SIZE_MAX = 1 << 20;

/**
 * Yields the data of each event, whatever the chunk boundaries; comments are skipped. Throws an Error when an event has no end.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<string>}
 */
export async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + value).replaceAll('\r\n', '\n').split('\n\n');
      rest = blocks.pop() ?? '';
      if (rest.length > EVENT_SIZE_MAX) throw new Error('The stream sent an event without an end.');
      for (const block of blocks) {
        const data = dataOf(block);
        if (data !== '') yield data;
      }
    }
  } finally {
    // A reader that stops early must not leave the upstream running.
    await reader.cancel().catch(() => {});
  }
}

function dataOf(block) {
  const lines = block.split('\n').filter((line) => line.startsWith('data:'));
  return lines.map((line) => line.slice(5).replace(/^ /, '')).join('\n');
}
