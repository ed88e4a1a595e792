/** The whole Worker, with a clock of NodeLinks that can be moved, a door to them that asks no router, and a list of what boards hear of loads. */
import type { NodeLoadReport } from '#schema/node-load-report';
import type { Env } from '#src/context';
import { HealthBoard as RealHealthBoard } from '#src/health/board';
import worker from '#src/index';
import { NodeLink as RealNodeLink } from '#src/node-link';

export { Account } from '#src/index';

let clockOffsetMs = 0;
/** How often an object was made, by node. */
const objectsMade = new Map<string, number>();
const reports: NodeLoadReport[] = [];

export class HealthBoard extends RealHealthBoard {
  override async reportLoad(report: NodeLoadReport): Promise<void> {
    reports.push(report);
    return super.reportLoad(report);
  }
}

export class NodeLink extends RealNodeLink {
  constructor(...given: ConstructorParameters<typeof RealNodeLink>) {
    super(...given);
    const name = this.ctx.id.name ?? '';
    objectsMade.set(name, (objectsMade.get(name) ?? 0) + 1);
  }

  /** Does what its alarm does. */
  async sweep(): Promise<void> {
    await this.alarm();
  }

  protected override now(): number {
    return Date.now() + clockOffsetMs;
  }
}

// oxlint-disable-next-line import/no-default-export -- the entry of a Worker
export default {
  async fetch(request, env, execution) {
    const url = new URL(request.url);
    const [, door, node = '', ...path] = url.pathname.split('/');
    const link = () => (env.NODE_LINK as unknown as DurableObjectNamespace<NodeLink>).getByName(node);
    switch (door) {
      case 'direct':
        return link().fetch(new Request(`http://node/${path.join('/')}`, request));
      case 'status':
        return Response.json({ ...(await link().status()), objectsMade: objectsMade.get(node) });
      case 'made':
        return Response.json(objectsMade.get(node) ?? 0);
      case 'do': {
        const [what, said] = path;
        if (what === 'drain') await link().drain(said === 'on');
        if (what === 'leave') await link().leave('it was removed');
        if (what === 'forget') await link().forgetKey();
        if (what === 'alarm') await link().sweep();
        if (what === 'tell') await link().tell({ endpoint: node, state: 'active', reason: null });
        return new Response('done');
      }
      case 'reports':
        return Response.json(reports);
      case 'clock':
        clockOffsetMs = Number(node);
        return new Response('moved');
      default:
        return worker.fetch(request, env, execution);
    }
  },
  scheduled: worker.scheduled,
} satisfies ExportedHandler<Env>;
