/** Finds the node that a command is about: by name, or because there is only one. */
import { UsageError } from '../../command-error.ts';
import { listKeptNodes, readKeptNode, type KeptNode } from './key-file.ts';

/** Reads the key of a node on this machine. Throws UsageError where there is none, or several to choose from. */
export function resolveNode(stateDir: string, router: string, name: string | undefined): KeptNode {
  const names = listKeptNodes(stateDir, router);
  if (name === undefined && names.length > 1) throw new UsageError(`name one of the nodes here with --name: ${names.join(', ')}`);
  const wanted = name ?? names[0];
  const kept = wanted === undefined ? null : readKeptNode(stateDir, router, wanted);
  if (kept !== null) return kept;
  const whom = wanted === undefined ? 'no node' : `no node ${wanted}`;
  throw new UsageError(`${whom} of ${router} has a key here: join with --token, which the operator makes (npx headrace nodes token)`);
}
