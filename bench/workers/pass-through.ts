/** The bare pass-through Worker: what any proxy costs on this runtime. Parses nothing. */

/** Forwards the request to the upstream's chat completions and returns its response as it is. */
export function handle(request: Request, env: { UPSTREAM: string }): Promise<Response> {
  return fetch(`${env.UPSTREAM}/v1/chat/completions`, { method: request.method, headers: request.headers, body: request.body });
}
