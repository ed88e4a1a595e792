/**
 * Lint rules of this house: who may import whom (`floors`), what only one room may know (`secrets`),
 * and where suppliers may be called by name (`vendor-names`). The tables below are the whole law.
 */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

const ROOMS = [
  'admission',
  'byok',
  'catalog',
  'dispatch',
  'health',
  'keys',
  'ledger',
  'manifest',
  'metering',
  'nodes',
  'prices',
  'routing',
  'skins',
  'usage',
].map((room) => `src/${room}`);

/** Zone → zones that it may import besides itself. A zone that is not listed may import anything. */
const FLOORS = {
  schema: [],
  providers: ['schema'],
  devnet: [],
  engine: [],
  ...Object.fromEntries(ROOMS.map((room) => [room, ['schema']])),
  'src/dispatch': ['schema', 'providers', 'src/health'],
  'src/passage.ts': ['schema', ...ROOMS],
  // Management compiles manifests in the Worker, so cards and the published catalogue come in here, and nowhere below.
  'src/house-facts.ts': ['schema', 'providers', 'src/manifest'],
  'src/check-supply.ts': ['schema', ...ROOMS],
  'src/manage.ts': ['schema', 'src/check-supply.ts', 'src/context.ts', 'src/house-facts.ts', ...ROOMS],
  // Parsers of suppliers' lists come in here, and nowhere below.
  'src/price-feeds.ts': ['schema', 'providers', 'src/prices'],
  'src/price-desk.ts': ['schema', 'providers', 'src/context.ts', 'src/price-feeds.ts', ...ROOMS],
  'src/register.ts': ['schema', 'src/context.ts', ...ROOMS],
  'src/office.ts': ['schema', 'src/context.ts', 'src/manage.ts', 'src/price-desk.ts', 'src/register.ts', ...ROOMS],
  'src/node-link.ts': ['schema', ...ROOMS],
  'src/settle.ts': ['schema', 'src/passage.ts', ...ROOMS],
  'src/hold.ts': ['schema', 'src/passage.ts', 'src/settle.ts', ...ROOMS],
  'src/answer.ts': ['schema', 'src/context.ts', 'src/passage.ts', 'src/settle.ts', ...ROOMS],
  'src/serve.ts': [
    'schema',
    'src/answer.ts',
    'src/context.ts',
    'src/hold.ts',
    'src/office.ts',
    'src/passage.ts',
    'src/settle.ts',
    ...ROOMS,
  ],
  'src/jobs': ['schema', 'src/context.ts', 'src/price-desk.ts', ...ROOMS],
  'src/context.ts': ['schema', 'providers', ...ROOMS],
  'src/api': ['schema', 'console', 'src/context.ts', 'src/passage.ts', 'src/serve.ts', ...ROOMS],
  'src/index.ts': ['schema', 'providers', 'src/context.ts', 'src/node-link.ts', 'src/serve.ts', 'src/api', 'src/jobs', ...ROOMS],
};

const isStore = (file) => /(^|[/-])store\.ts$/.test(file);

/** Package → the files of the product that may import it. */
const PACKAGES = [
  { name: /^hono(\/|$)/, where: 'src/api', allowed: (file) => file.startsWith('src/api/') },
  { name: /^drizzle-orm(\/|$)/, where: 'schema and store.ts files', allowed: (file) => file.startsWith('schema/') || isStore(file) },
  {
    name: /^cloudflare:/,
    where: 'Durable Object files and src/index.ts',
    allowed: (file) => /^src\/(index|context|ledger\/account|health\/board|nodes\/link\/link-object)\.ts$/.test(file),
  },
];

const isProduct = (file) => /^(schema|providers|src)\//.test(file);

/** Names the zone of a path: a room of `src`, a file that stands alone in `src`, or a folder of the house. */
function zoneOf(file) {
  const [folder, second] = file.split('/');
  return folder === 'src' && second !== undefined ? `src/${second}` : folder;
}

/** Finds the path from the house's root, whichever folder the linter was started in. */
function pathInHouse(context) {
  return path.relative(rootOf(path.dirname(context.filename)), context.filename).replaceAll(path.sep, '/');
}

const roots = new Map();
function rootOf(folder) {
  if (!roots.has(folder)) {
    const parent = path.dirname(folder);
    roots.set(folder, existsSync(path.join(folder, '.oxlintrc.json')) || parent === folder ? folder : rootOf(parent));
  }
  return roots.get(folder);
}

/** Calls `check(specifier, node)` for every import, re-export and dynamic import of a file. */
function forEachImport(check) {
  const visit = (node) => typeof node.source?.value === 'string' && check(node.source.value, node.source);
  return {
    ImportDeclaration: visit,
    ExportNamedDeclaration: visit,
    ExportAllDeclaration: visit,
    ImportExpression: visit,
    TSImportType: visit,
  };
}

const floors = {
  create(context) {
    const file = pathInHouse(context);
    const zone = zoneOf(file);
    return forEachImport((specifier, node) => {
      const report = (message) => context.report({ node, message });
      if (specifier.startsWith('.')) {
        const target = path.posix.join(path.posix.dirname(file), specifier);
        if (zoneOf(target) !== zone && !(zone.endsWith('.ts') && zoneOf(target).startsWith('src/')))
          return report(`'${specifier}' leaves ${zone}: write it as '#${target.replace(/\.ts$/, '')}'.`);
        return checkFloor(target, report);
      }
      if (specifier.startsWith('#')) return checkFloor(`${specifier.slice(1)}.ts`, report);
      const secret = PACKAGES.find((row) => row.name.test(specifier));
      if (secret !== undefined && isProduct(file) && !secret.allowed(file)) report(`'${specifier}' belongs to ${secret.where} only.`);
    });

    function checkFloor(target, report) {
      const allowed = FLOORS[zone];
      const targetZone = zoneOf(target);
      if (allowed === undefined || targetZone === zone || allowed.includes(targetZone)) return;
      report(`${zone} may not import ${targetZone}; it may import ${allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')}.`);
    }
  },
};

const secrets = {
  create(context) {
    const file = pathInHouse(context);
    if (!file.startsWith('src/')) return {};
    return {
      CallExpression(node) {
        const { callee } = node;
        const method = callee.type === 'MemberExpression' ? callee.property.name : undefined;
        const isSql = method === 'prepare' || (method === 'exec' && callee.object.property?.name === 'sql');
        if (isSql && !isStore(file)) context.report({ node, message: 'SQL stands only in store.ts files.' });
      },
      TSTypeReference(node) {
        if (node.typeName.name === 'Env' && !/^src\/(index|context)\.ts$/.test(file))
          context.report({ node, message: '`Env` is known to src/index.ts and src/context.ts only.' });
      },
    };
  },
};

let vendorNames;
/** Lists provider ids from the card files. `selfhosted` is also a supply kind and engines are no vendors, so that wing is left out. */
function readVendorNames(root) {
  vendorNames ??= new Set(
    ['subnet', 'centralized'].flatMap((wing) => {
      const folder = path.join(root, 'providers', wing);
      return existsSync(folder) ? readdirSync(folder).map((name) => name.replace(/\.ts$/, '')) : [];
    }),
  );
  return vendorNames;
}

const vendorNamesRule = {
  create(context) {
    const file = pathInHouse(context);
    if (!file.startsWith('src/')) return {};
    const names = readVendorNames(rootOf(path.dirname(context.filename)));
    return {
      Literal(node) {
        if (typeof node.value === 'string' && names.has(node.value))
          context.report({ node, message: `'${node.value}' is a supplier: ask its card for a capability or quirk instead.` });
      },
    };
  },
};

export default {
  meta: { name: 'house' },
  rules: { floors, secrets, 'vendor-names': vendorNamesRule },
};
