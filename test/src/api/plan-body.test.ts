import { expect, test } from 'vitest';
import { planBody } from '#schema/answers/plan';
import { toPlanBody } from '#src/api/plan-body';
import { sampleReceipt } from '../ledger/sample-receipt.ts';

test('a receipt tells who was skipped when their turn came, and nothing of it where nobody was', () => {
  const { plan } = sampleReceipt();
  const reason = 'KV cache has room for 5 tokens now; 11 are needed';
  const skipped = [{ endpointId: 'rig', provider: 'selfhosted', supply: 'selfhosted' as const, filter: 'full', reason }];
  expect(planBody.parse(toPlanBody({ ...plan, skipped })).skipped).toEqual([
    { endpoint: 'rig', provider: 'selfhosted', supply: 'selfhosted', filter: 'full', reason },
  ]);
  expect(planBody.parse(toPlanBody(plan))).not.toHaveProperty('skipped');
});
