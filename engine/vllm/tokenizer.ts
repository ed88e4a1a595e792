/** A tokenizer for any text, one token a byte: byte-level BPE without merges, with Qwen's words for turns and thoughts. */

const TURN_WORDS = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'] as const;
const THOUGHT_WORDS = ['<think>', '</think>'] as const;

/** Words of the vocabulary: token of byte b is b, then the marks. */
export const TOKENS = { endOfText: 256, endOfTurn: 258, thought: 259, thoughtEnd: 260, count: 261 } as const;

/** Every message in Qwen's form, the last one open where it is to be gone on with. */
export const CHAT_TEMPLATE =
  "{% if tools %}<|im_start|>system\n{{ tools | tojson }}<|im_end|>\n{% endif %}{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/** Builds `tokenizer.json`, as the `tokenizers` library reads it. */
export function buildTokenizer(): object {
  const vocabulary = Object.fromEntries(byteCharacters().map((character, byte) => [character, byte]));
  const marks = [...TURN_WORDS, ...THOUGHT_WORDS].map((content, place) => ({
    id: TOKENS.endOfText + place,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: place < TURN_WORDS.length,
  }));
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: marks,
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: vocabulary,
      merges: [],
    },
  };
}

/** Builds `tokenizer_config.json`. */
export function buildTokenizerConfig(context: number): object {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_max_length: context,
    bos_token: null,
    eos_token: TURN_WORDS[2],
    pad_token: TURN_WORDS[0],
    clean_up_tokenization_spaces: false,
    chat_template: CHAT_TEMPLATE,
  };
}

/** Lists the visible characters that byte-level BPE writes for the bytes 0 to 255 (GPT-2's table). */
function byteCharacters(): string[] {
  const isVisible = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let hidden = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isVisible(byte) ? byte : 256 + hidden++));
}
