/** Messages and their content parts, in OpenAI's words with OpenRouter's additions. Marks such as `cache_control` stay on parts. */
import { z } from 'zod';
import { toolCall } from './chat-tools.ts';

/** An address or the bytes themselves. Files that some vendor keeps cannot be reached from every endpoint. */
export const source = z.string().regex(/^(?:https?:\/\/|data:)/i, 'expected an http(s) address or a data: URL');

const textPart = z.looseObject({ type: z.literal('text'), text: z.string() });
const imagePart = z.looseObject({
  type: z.literal('image_url'),
  image_url: z.looseObject({ url: source, detail: z.enum(['auto', 'low', 'high', 'original']).nullish() }),
});
const audioPart = z.looseObject({
  type: z.literal('input_audio'),
  input_audio: z.looseObject({ data: z.string().min(1), format: z.string().min(1).max(40) }),
});
const filePart = z.looseObject({
  type: z.literal('file'),
  file: z.looseObject({
    file_data: z.string({ error: (issue) => (issue.input === undefined ? 'is required: no files are kept here' : undefined) }).min(1),
    filename: z.string().max(1000).nullish(),
  }),
});
const video = z.looseObject({ url: source });
const videoPart = z.looseObject({ type: z.literal('video_url'), video_url: video });
/** OpenRouter's older name of the same. */
const inputVideoPart = z.looseObject({ type: z.literal('input_video'), video_url: video });
const refusalPart = z.looseObject({ type: z.literal('refusal'), refusal: z.string() });

/** A part as code sees it: `type` says which field beside it holds the content. */
export interface ContentPart {
  type: string;
  [field: string]: unknown;
}

const text: z.ZodType<ContentPart> = z.discriminatedUnion('type', [textPart]);
const part: z.ZodType<ContentPart> = z.discriminatedUnion('type', [textPart, imagePart, audioPart, filePart, videoPart, inputVideoPart]);
const answerPart: z.ZodType<ContentPart> = z.discriminatedUnion('type', [textPart, refusalPart, imagePart, audioPart, filePart]);

/** A text, or parts of text only. */
export const textContent = z.union([z.string(), z.array(text).min(1)]);
const content = z.union([z.string(), z.array(part).min(1)]);
const answerContent = z.union([z.string(), z.array(answerPart).min(1)]);

/** One message of a conversation. Answers may come back as clients store them, with nulls for what they did not have. */
export const chatMessage = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal('system'), content: textContent }),
  z.looseObject({ role: z.literal('developer'), content: textContent }),
  z.looseObject({ role: z.literal('user'), content }),
  z.looseObject({
    role: z.literal('assistant'),
    content: answerContent.nullish(),
    tool_calls: z.array(toolCall).nullish(),
    refusal: z.string().nullish(),
    reasoning: z.string().nullish(),
    reasoning_content: z.string().nullish(),
    reasoning_details: z.array(z.looseObject({})).nullish(),
  }),
  z.looseObject({ role: z.literal('tool'), content, tool_call_id: z.string() }),
]);
export type ChatMessage = z.infer<typeof chatMessage>;
