/** Finds the node that a command is about, and its router: by name, or because there is only one. */
import { UsageError } from '../../command-error.ts';
import { DEFAULT_URL } from '../../router/connection.ts';
import { listKeptNodes, listKeptRouters, readKeptNode, type KeptNode } from './key-file.ts';

/** Names the only router that nodes of this machine have keys for; the local one where there is none. Throws UsageError where there are several. */
export function resolveRouter(stateDir: string): string {
  const [first = DEFAULT_URL, ...others] = listKeptRouters(stateDir);
  if (others.length > 0) throw new UsageError(`name one of the routers of the nodes here with --router: ${[first, ...others].join(', ')}`);
  return first;
}

/** Reads the key of a node on this machine. Throws UsageError where there is none, or several to choose from. */
export function resolveNode(stateDir: string, router: string, name: string | undefined): KeptNode {
  const names = listKeptNodes(stateDir, router);
  if (name === undefined && names.length > 1) throw new UsageError(`name one of the nodes here with --name: ${names.join(', ')}`);
  const wanted = name ?? names[0];
  const kept = wanted === undefined ? null : readKeptNode(stateDir, router, wanted);
  if (kept !== null) return kept;
  const whom = wanted === undefined ? 'no node' : `no node ${wanted}`;
  const [flag, known] = names.length > 0 ? ['--name', names] : ['--router', listKeptRouters(stateDir)];
  const choice = known.length === 0 ? '' : `, or name what has one with ${flag}: ${known.join(', ')}`;
  throw new UsageError(
    `${whom} of ${router} has a key here: join with --token, which the operator makes (npx headrace nodes token)${choice}`,
  );
}
