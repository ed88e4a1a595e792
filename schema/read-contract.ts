import type { z } from 'zod';
import { contractPart } from './contract-part.ts';
import { describeProblem } from './describe-issue.ts';
import { GatewayError } from './error.ts';

/** Reads a client's body by its contract. Throws GatewayError `invalid_request` with `param` set to the path of the first wrong field. */
export function readContract<Contract extends z.ZodType>(contract: Contract, body: unknown): z.output<Contract> {
  const result = contractPart(contract, body).safeParse(body);
  if (result.success) return result.data;
  const { path, sentence } = describeProblem(result.error);
  if (path === '') throw new GatewayError('invalid_request', `The request body is not valid: ${sentence}.`);
  throw new GatewayError('invalid_request', `Invalid value for '${path}': ${sentence}.`, { param: path });
}
