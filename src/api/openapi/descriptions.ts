/** Every surface with its descriptions. A surface without one does not compile, nor does one that is not mounted. */
import type { RootSurfaceName, SurfaceName } from '../surfaces.ts';
import * as account from './account.ts';
import * as catalogue from './catalogue.ts';
import * as conversations from './conversations.ts';
import type { Description } from './description.ts';
import * as router from './router.ts';
import * as media from './media.ts';

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
  'GET /providers': [catalogue.listProviders],
  'GET /key': [account.getOwnKey],
  'GET /credits': [account.getCredits],
  'GET /activity': [account.getActivity],
  'GET /keys': [account.listKeys],
  'POST /keys': [account.createKey],
  'GET /keys/:hash': [account.getKey],
  'PATCH /keys/:hash': [account.updateKey],
  'DELETE /keys/:hash': [account.deleteKey],
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
