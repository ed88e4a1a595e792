/**
 * Request fields that no upstream sees: the router's own, its customers' labels, and what is dropped as documented (`service_tier` changes
 * the price, `modalities` says what is the default anyway). `__proto__` would set a prototype.
 */
export const ROUTER_FIELDS: ReadonlySet<string> = new Set([
  'models',
  'provider',
  'preset',
  'route',
  'session_id',
  'transforms',
  'plugins',
  'usage',
  'trace',
  'debug',
  'metadata',
  'service_tier',
  'structured_outputs',
  'modalities',
  'image_config',
  'max_tool_calls',
  'stop_server_tools_when',
  'include_reasoning',
  'user',
  'safety_identifier',
  '__proto__',
]);
