/** The link's object as it is deployed. It stands in the hall because its probes speak in the words of dispatch. */
import { sayChat } from '#src/dispatch/say-chat';
import { LinkObject } from '#src/nodes/link/link-object';

/** One node's end of the wire. */
export class NodeLink extends LinkObject {
  protected override say(...words: Parameters<typeof sayChat>): ReturnType<typeof sayChat> {
    return sayChat(...words);
  }
}
