/** The relay Worker: every chunk of the answer goes through JavaScript, none is looked at. */

/** Forwards the request to the same path of the upstream and re-enqueues the answer chunk by chunk. */
export async function handle(request: Request, env: { UPSTREAM: string }): Promise<Response> {
  const path = request.url.slice(request.url.indexOf('/', 'https://'.length));
  const answer = await fetch(env.UPSTREAM + path, { method: request.method, headers: request.headers, body: request.body });
  const reader = answer.body?.getReader();
  if (reader === undefined) return answer;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(body, { status: answer.status, headers: answer.headers });
}
