/** Fields that ask for what is not done here, each with what to do instead. */
type Sentences = Readonly<Record<string, string>>;

const UNSERVED: Sentences = {
  preset: 'presets are not kept here: send the fields themselves, or name a policy in provider.policy',
  web_search_options: 'web search is not run here: offer the model a function tool that searches',
  x_search_filter: 'web search is not run here: offer the model a function tool that searches',
  moderation: 'prompts are not moderated here: call a moderation API first',
};

export const UNSERVED_IN_CHAT: Sentences = {
  ...UNSERVED,
  prompt: 'belongs to POST /completions: here a conversation goes into messages',
  functions: 'is the old form of tools: send tools',
  function_call: 'is the old form of tool_choice: send tool_choice',
};

export const UNSERVED_IN_COMPLETIONS: Sentences = {
  ...UNSERVED,
  messages: 'belong to POST /chat/completions: here the text to continue goes into prompt',
  tools: 'need a conversation: call POST /chat/completions',
};

/** Finds the first field that cannot be served, with a sentence about it. Null, false and empty lists ask for nothing. */
export function findUnserved(body: Readonly<Record<string, unknown>>, sentences: Sentences): { path: string[]; message: string } | null {
  for (const field in body) {
    if (Object.hasOwn(sentences, field) && asks(body[field])) return { path: [field], message: sentences[field] ?? '' };
  }
  return null;
}

function asks(value: unknown): boolean {
  return value !== null && value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}
