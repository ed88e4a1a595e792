/** The OpenAPI 3.1 document, built from the descriptions, the contracts and the error table. */
import { TAGS, type Description } from './description.ts';
import { DESCRIPTIONS, ROOT_DESCRIPTIONS } from './descriptions.ts';
import { errorComponents } from './errors.ts';
import { headerComponents, headerParameterComponents } from './headers.ts';
import { toOperation, toTemplate } from './operation.ts';
import { createSchemas, type JsonObject, type Schemas } from './schemas.ts';

const ABOUT = `One API over three kinds of supply: subnet miners, your own GPU nodes and centralized providers. It speaks the APIs of OpenAI, OpenRouter and Anthropic; change the base URL of a client and nothing else.

The API is mounted under \`/v1\` and \`/api/v1\`, identically. Money is in USD. Errors that a retry cannot help are 4xx.`;

const BASES = [{ url: '/v1' }, { url: '/api/v1' }];

const SECURITY_SCHEMES = {
  key: { type: 'http', scheme: 'bearer', description: 'An inference key, `sk-hr-…`.' },
  managementKey: { type: 'http', scheme: 'bearer', description: 'A management key, `sk-hr-mgmt-…`. It manages keys and never infers.' },
  operatorKey: {
    type: 'http',
    scheme: 'bearer',
    description: 'An operator key, `sk-hr-op-…`. It manages the endpoints and nodes of its operator and never infers.',
  },
  joinToken: { type: 'http', scheme: 'bearer', description: 'A join token, `hr-join-…`. It lets one node in, once.' },
  anthropicKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'An inference key, where Anthropic’s clients put it.' },
};

/** Builds the document. Pure. */
export function buildOpenapi(): JsonObject {
  const schemas = createSchemas();
  const paths: Record<string, JsonObject> = {};
  describe(paths, DESCRIPTIONS, schemas);
  describe(paths, ROOT_DESCRIPTIONS, schemas, [{ url: '/' }]);
  const responses = errorComponents(schemas);
  return {
    openapi: '3.1.0',
    info: { title: 'Headrace', version: '1', description: ABOUT, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: BASES,
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: schemas.components(),
      responses,
      parameters: headerParameterComponents(),
      headers: headerComponents(),
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

function describe(
  paths: Record<string, JsonObject>,
  table: Readonly<Record<string, readonly Description[]>>,
  schemas: Schemas,
  servers?: readonly { url: string }[],
): void {
  for (const [surface, descriptions] of Object.entries(table)) {
    const [method = '', pattern = ''] = surface.split(' ');
    for (const description of descriptions) {
      const path = description.path ?? toTemplate(pattern);
      paths[path] = {
        ...paths[path],
        ...(servers && { servers }),
        [method.toLowerCase()]: toOperation(description, path, schemas),
      };
    }
  }
}
