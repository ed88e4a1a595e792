/** SQL as an Account object's own storage runs it. */

type Value = string | number | null | ArrayBuffer;

/** The part of Durable Object SQLite storage that stores use. */
export interface Sql {
  exec<Row extends Record<string, Value>>(query: string, ...bindings: (string | number | null | Uint8Array)[]): { toArray(): Row[] };
}
