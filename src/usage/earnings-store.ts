/** What the endpoints of operators have served and what the books credit for it. */

/** What one endpoint has served since an instant. Amounts in nano-USD. */
export interface EndpointEarnings {
  endpointId: string;
  /** Requests of clients that it has completed. */
  requests: number;
  promptTokens: number;
  completionTokens: number;
  /** At its own prices, also for answers that others have finished and for the router's own checks: what the journal posts to its supply. */
  earnedNanoUsd: number;
}

// An id may have been the manifest's before it was registered: what was served then is not the operator's.
const STATEMENT = `
  WITH own AS MATERIALIZED (
    SELECT endpoint_id AS id, max(?2, (SELECT min(at_ms) FROM registration_events AS event WHERE event.endpoint_id = registrations.endpoint_id)) AS since_ms
    FROM registrations WHERE operator_id = ?1)
  SELECT own.id AS "endpointId", sum(outcome = 'completed' AND role IS NOT 'canary') AS requests, sum(prompt_tokens) AS "promptTokens",
    sum(completion_tokens) AS "completionTokens", sum(cost_nano_usd) AS "earnedNanoUsd"
  FROM own JOIN attempts ON attempts.endpoint_id = own.id AND started_at_ms >= own.since_ms
  GROUP BY own.id ORDER BY sum(cost_nano_usd) DESC, own.id`;

/** Sums what an operator's endpoints have served since an instant, retired ones too, those that earned most first. */
export async function readEarnings(
  db: D1Database,
  { operatorId, sinceMs }: { operatorId: string; sinceMs: number },
): Promise<EndpointEarnings[]> {
  return (await db.prepare(STATEMENT).bind(operatorId, sinceMs).all<EndpointEarnings>()).results;
}
