/** Operations that are answered whole. */
import { embeddingList, imageList, ranking, transcription } from '#schema/answers/units';
import { embeddingsRequest } from '#schema/units/embeddings';
import { imagesRequest } from '#schema/units/images';
import { rerankRequest } from '#schema/units/rerank';
import { speechRequest } from '#schema/units/speech';
import { transcriptionForm, transcriptionJson } from '#schema/units/transcriptions';
import type { Description } from './description.ts';

export const createEmbeddings: Description = {
  id: 'createEmbeddings',
  tag: 'Vectors and media',
  summary: 'Embed texts or tokens',
  text: 'Vectors come in the order of the inputs and in the encoding that was asked for, whatever the endpoint sends.',
  key: 'inference',
  body: embeddingsRequest,
  example: { model: 'qwen/qwen3-embedding-4b', input: ['headrace', 'tailrace'] },
  answer: embeddingList,
};

export const rerank: Description = {
  id: 'rerank',
  tag: 'Vectors and media',
  summary: 'Rank documents by how well they fit a query',
  text: 'Best first. Each result carries its document, unless `return_documents` is false.',
  key: 'inference',
  body: rerankRequest,
  example: {
    model: 'baai/bge-reranker-v2-m3',
    query: 'Where does the water go?',
    documents: ['Through the turbine.', 'Up the hill.'],
    top_n: 1,
  },
  answer: ranking,
};

const image: Omit<Description, 'id' | 'summary' | 'text'> = {
  tag: 'Vectors and media',
  key: 'inference',
  body: imagesRequest,
  example: { model: 'black-forest-labs/flux.1-schnell', prompt: 'A mill beside a headrace, woodcut', n: 1 },
  answer: imageList,
};

export const generateImages: Description = {
  ...image,
  id: 'generateImages',
  summary: 'Make images from a prompt',
  text: 'OpenAI’s path: URLs or base64 as `response_format` says, else as the endpoint likes.',
};

export const createImages: Description = {
  ...image,
  id: 'createImages',
  summary: 'Make images from a prompt, in base64',
  text: 'OpenRouter’s path.',
};

export const createSpeech: Description = {
  id: 'createSpeech',
  tag: 'Vectors and media',
  summary: 'Speak a text',
  text: 'The audio is relayed as it comes. It is billed by the characters of `input`, or by tokens where the endpoint is.',
  key: 'inference',
  body: speechRequest,
  example: { model: 'hexgrad/kokoro-82m', input: 'The sluice is open.', voice: 'alloy' },
  answer: 'audio/*',
};

export const createTranscription: Description = {
  id: 'createTranscription',
  tag: 'Vectors and media',
  summary: 'Write down what is said',
  text: 'OpenAI’s form, or OpenRouter’s JSON with the audio in base64. Text formats come as text.',
  key: 'inference',
  body: transcriptionJson,
  form: transcriptionForm,
  example: { model: 'openai/whisper-large-v3', input_audio: { data: 'UklGRg==', format: 'wav' } },
  answer: transcription,
  alsoAnswers: ['text/plain'],
};
