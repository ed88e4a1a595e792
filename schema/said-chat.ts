/** A chat request as it goes over the wire, in the words of an endpoint's dialect. */
export interface SaidChat {
  url: string;
  headers: Record<string, string>;
  body: string;
}
