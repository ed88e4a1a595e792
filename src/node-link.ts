/** The NodeLink that is deployed: it stands in the hall because its probes speak in the words of dispatch. */
import { sayChat } from '#src/dispatch/say-chat';
import { NodeLink as NodeLinkOfTheRoom } from '#src/nodes/node-link';

/** One node's end of the wire. */
export class NodeLink extends NodeLinkOfTheRoom {
  protected override say(...words: Parameters<typeof sayChat>): ReturnType<typeof sayChat> {
    return sayChat(...words);
  }
}
