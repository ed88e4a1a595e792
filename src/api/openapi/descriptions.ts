/** Every surface with its descriptions. A surface without one does not compile, nor does one that is not mounted. */
import type { RootSurfaceName, SurfaceName } from '../surfaces.ts';
import * as account from './account.ts';
import * as byok from './byok.ts';
import * as catalogue from './catalogue.ts';
import * as conversations from './conversations.ts';
import * as deployment from './deployment.ts';
import type { Description } from './description.ts';
import * as operators from './operators.ts';
import * as router from './router.ts';
import * as media from './media.ts';
import * as teams from './teams.ts';
import * as prices from './prices.ts';
import * as replay from './replay.ts';

/** In the order of the document. One pattern may serve several paths. */
export const DESCRIPTIONS: Readonly<Record<SurfaceName, readonly Description[]>> = {
  'POST /chat/completions': [conversations.createChatCompletion],
  'POST /completions': [conversations.createCompletion],
  'POST /responses': [conversations.createResponse],
  'POST /messages': [conversations.createMessage],
  'POST /messages/count_tokens': [conversations.countTokens],
  'POST /embeddings': [media.createEmbeddings],
  'POST /rerank': [media.rerank],
  'POST /images/generations': [media.generateImages],
  'POST /images': [media.createImages],
  'POST /audio/speech': [media.createSpeech],
  'POST /audio/transcriptions': [media.createTranscription],
  'POST /explain': [account.explain],
  'GET /generation': [account.getGeneration],
  'GET /models': [catalogue.listModels],
  'GET /models/count': [catalogue.countModels],
  'GET /models/user': [catalogue.listUserModels],
  'GET /models/:name{.+}': [catalogue.retrieveModel, catalogue.listModelEndpoints],
  'GET /model/:name{.+}': [catalogue.getModel],
  'GET /embeddings/models': [catalogue.listEmbeddingModels],
  'GET /endpoints/zdr': [catalogue.listZdrEndpoints],
  'GET /endpoints': [operators.listEndpoints],
  'POST /endpoints': [operators.registerEndpoint],
  'GET /endpoints/:id': [operators.getEndpoint],
  'PATCH /endpoints/:id': [operators.updateEndpoint],
  'DELETE /endpoints/:id': [operators.retireEndpoint],
  'POST /endpoints/:id/probe': [operators.probeEndpoint],
  'GET /operators': [operators.listOperators],
  'POST /operators': [operators.createOperator],
  'GET /operators/:id': [operators.getOperator],
  'DELETE /operators/:id': [operators.deleteOperator],
  'GET /operators/:id/keys': [operators.listOperatorKeys],
  'POST /operators/:id/keys': [operators.createOperatorKey],
  'DELETE /operators/:id/keys/:hash': [operators.revokeOperatorKey],
  'GET /nodes': [operators.listNodes],
  'POST /nodes/tokens': [operators.createJoinToken],
  'POST /nodes/join': [operators.joinNode],
  'GET /nodes/:id': [operators.getNode],
  'DELETE /nodes/:id': [operators.leaveNode],
  'POST /nodes/:id/drain': [operators.drainNode],
  'GET /providers': [catalogue.listProviders],
  'GET /receipts': [replay.listReceipts],
  'GET /catalog': [replay.getCatalog],
  'GET /key': [account.getOwnKey],
  'GET /teams': [teams.listTeams],
  'GET /teams/:id': [teams.getTeam],
  'GET /usage': [teams.getUsage],
  'GET /receipts/:id': [teams.getReceipt],
  'GET /credits': [account.getCredits],
  'POST /credits': [teams.addCredit],
  'GET /activity': [account.getActivity],
  'GET /manifest': [deployment.getManifest],
  'PUT /manifest': [deployment.applyManifest],
  'GET /policies': [deployment.listPolicies],
  'GET /policies/:name': [deployment.getPolicy],
  'GET /audit': [deployment.listAudit],
  'GET /prices/feeds': [prices.listPriceFeeds],
  'POST /prices/feeds/:id/read': [prices.readPriceFeed],
  'GET /prices/held': [prices.listHeldPrices],
  'POST /prices/held/:endpoint{.+}': [prices.decidePrice],
  'GET /keys': [account.listKeys],
  'POST /keys': [account.createKey],
  'GET /keys/:hash': [account.getKey],
  'PATCH /keys/:hash': [account.updateKey],
  'DELETE /keys/:hash': [account.deleteKey],
  'GET /byok': [byok.listProviderKeys],
  'POST /byok': [byok.createProviderKey],
  'GET /byok/:id': [byok.getProviderKey],
  'PATCH /byok/:id': [byok.updateProviderKey],
  'DELETE /byok/:id': [byok.deleteProviderKey],
  'POST /keys/:hash/rotate': [account.rotateKey],
  'GET /nodes/:id/link': [router.openNodeLink],
};

/** Pages for browsers, which `console.ts` and `docs.ts` mount. */
type PageName = 'GET /' | 'GET /docs';

/** What stands at the root, beside the versions of the API. */
export const ROOT_DESCRIPTIONS: Readonly<Record<RootSurfaceName | PageName, readonly Description[]>> = {
  'GET /healthz': [router.getHealth],
  'GET /openapi.json': [router.getOpenapi],
  'GET /docs': [router.getDocs],
  'GET /': [router.getConsole],
};
