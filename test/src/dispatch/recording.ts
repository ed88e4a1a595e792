/** A health that writes down how flights begin and end, over a real one. */
import type { FlightEnd, Health } from '#src/health/health';

export interface Recording {
  recorded: Health;
  /** Endpoints in the order in which attempts began. */
  begun: string[];
  ended: (FlightEnd & { endpointId: string })[];
  /** Times to first token as told, ms. */
  firstTokens: number[];
}

/** Wraps a health; whatever is told to it is passed on. */
export function recording(health: Health): Recording {
  const begun: string[] = [];
  const ended: Recording['ended'] = [];
  const firstTokens: number[] = [];
  const recorded: Health = {
    ...health,
    begin(offer, facts, cachedTokens) {
      begun.push(offer.endpointId);
      const flight = health.begin(offer, facts, cachedTokens);
      return {
        firstToken(ttftMs) {
          firstTokens.push(ttftMs);
          flight.firstToken(ttftMs);
        },
        nodeLoad: (load) => flight.nodeLoad(load),
        end(result) {
          ended.push({ endpointId: offer.endpointId, ...result });
          flight.end(result);
        },
      };
    },
  };
  return { recorded, begun, ended, firstTokens };
}
