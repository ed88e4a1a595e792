/**
 * What the engine uses of node-llama-cpp 3.22 and of the template language of chat models, typed here: both are installed in this folder
 * only, so the types of neither are there when the house is checked.
 */
export type Token = number;

export interface LlamaSequence {
  clearHistory(): Promise<void>;
  /** Reads a prompt, then gives one token after another; ends before the end-of-answer token. The map holds every token, likeliest first. */
  evaluateWithMetadata(
    tokens: readonly Token[],
    metadata: { confidence: true; probabilities: boolean },
    options: { temperature: number; topK: number; topP: number; minP: number; seed: number },
  ): AsyncGenerator<{ token: Token; confidence: number; probabilities?: ReadonlyMap<Token, number> }>;
}

export interface LlamaContext {
  getSequence(): LlamaSequence;
}

export interface LlamaModel {
  readonly size: number;
  readonly trainContextSize: number;
  readonly embeddingVectorSize: number;
  readonly fileInfo: {
    metadata: { tokenizer?: { chat_template?: string; ggml?: { tokens?: readonly string[] } } };
    fullTensorInfo?: readonly { dimensions: readonly (number | bigint)[] }[];
  };
  readonly tokens: { shouldPrependBosToken: boolean; bosString: string | null; eosString: string | null };
  tokenize(text: string, specialTokens: boolean): Token[];
  detokenize(tokens: readonly Token[], specialTokens: boolean, lastTokens: readonly Token[]): string;
  createContext(options: {
    contextSize: number;
    sequences: number;
    threads: number;
    flashAttention: boolean;
    experimentalKvCacheKeyType: string;
    experimentalKvCacheValueType: string;
  }): Promise<LlamaContext>;
}

interface Llama {
  readonly llamaCppRelease: { release: string };
  loadModel(options: { modelPath: string }): Promise<LlamaModel>;
  dispose(): Promise<void>;
}

interface LlamaLibrary {
  getLlama(options: {
    /** The binary for Apple's processors comes with Metal only. */
    gpu: false | 'metal';
    build: 'never';
    maxThreads: number;
    logLevel: 'info';
    logger: (level: string, message: string) => void;
  }): Promise<Llama>;
}

interface TemplateLibrary {
  Template: new (template: string) => { render(items: Record<string, unknown>): string };
}

/** Loads llama.cpp; takes about half a second. Rejects where the engine is not installed or has no binary for this platform. */
export async function loadLlamaLibrary(): Promise<LlamaLibrary> {
  const name = 'node-llama-cpp';
  return (await import(name)) as LlamaLibrary;
}

/** Loads the template language. Rejects where the engine is not installed. */
export async function loadTemplateLibrary(): Promise<TemplateLibrary> {
  const name = '@huggingface/jinja';
  return (await import(name)) as TemplateLibrary;
}
