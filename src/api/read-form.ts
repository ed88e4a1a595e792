/** The fields of a form with a file, bounded in every direction. */
import { GatewayError } from '#schema/error';
import type { UnitFile } from '#schema/unit';
import { readBytes } from './read-bytes.ts';

/** Largest file accepted, 25 MiB: OpenAI's limit for audio. */
export const FILE_BYTES_MAX = 25 * 1024 * 1024;
/** Room for the other fields and the boundaries. */
const FORM_BYTES_MAX = FILE_BYTES_MAX + 256 * 1024;
const FIELDS_MAX = 64;
const FILE_NAME_CHARS_MAX = 200;
/** `name`, `name[]` for lists, `name[part]` for objects. A name that begins with a letter reaches no prototype. */
const FIELD_NAME = /^[A-Za-z]\w{0,63}(\[\w{0,64}\])?$/;

const FILE_FIELD = 'file';

export type FormFields = Record<string, string | string[] | UnitFile>;

/** Tells a form from other bodies. */
export function isForm(request: Request): boolean {
  return mediaTypeOf(request).startsWith('multipart/form-data');
}

/**
 * Reads a form: text fields as they are, fields named `name[]` as the list `name`, and one file in `file`.
 * Throws GatewayError: `payload_too_large`, `unsupported_media_type`, `invalid_request` with the field as `param`.
 */
export async function readForm(request: Request): Promise<FormFields> {
  const bytes = await readBytes(request, { bytesMax: FORM_BYTES_MAX, checkType });
  const entries = [...(await parse(bytes, mediaTypeOf(request))).entries()];
  if (entries.length > FIELDS_MAX) throw new GatewayError('invalid_request', `The form has more than ${FIELDS_MAX} fields.`);
  const fields: FormFields = {};
  for (const [name, value] of entries) {
    if (!FIELD_NAME.test(name)) throw new GatewayError('invalid_request', 'The form has a field with a name that is not allowed.');
    if (typeof value !== 'string') addFile(fields, name, await toUnitFile(value));
    else if (name.endsWith('[]')) addItem(fields, name.slice(0, -2), value);
    else addText(fields, name, value);
  }
  return fields;
}

function mediaTypeOf({ headers }: Request): string {
  return headers.get('content-type')?.trimStart() ?? '';
}

function checkType(mediaType: string): void {
  if (mediaType === 'multipart/form-data') return;
  throw new GatewayError('unsupported_media_type', 'The request body must be a form; send Content-Type: multipart/form-data.');
}

async function parse(bytes: Uint8Array, contentType: string): Promise<FormData> {
  try {
    return await new Response(bytes, { headers: { 'content-type': contentType } }).formData();
  } catch {
    // The parser's own message may quote the form.
    throw new GatewayError('invalid_request', 'The request body is not a valid form.');
  }
}

function addFile(fields: FormFields, name: string, file: UnitFile): void {
  if (name !== FILE_FIELD) throw refuse(name, `a file is expected in '${FILE_FIELD}' only`);
  if (fields[name] !== undefined) throw refuse(name, 'is there twice');
  if (file.bytes.length === 0) throw refuse(name, 'the file is empty');
  if (file.bytes.length > FILE_BYTES_MAX)
    throw new GatewayError('payload_too_large', `The file is larger than ${FILE_BYTES_MAX} bytes.`, { param: name });
  fields[name] = file;
}

function addItem(fields: FormFields, name: string, value: string): void {
  const list = (fields[name] ??= []);
  if (!Array.isArray(list)) throw refuse(name, 'is there once alone and once as a list');
  list.push(value);
}

function addText(fields: FormFields, name: string, value: string): void {
  if (fields[name] !== undefined) throw refuse(name, 'is there twice');
  fields[name] = value;
}

async function toUnitFile(file: File): Promise<UnitFile> {
  return {
    field: FILE_FIELD,
    name: file.name.slice(-FILE_NAME_CHARS_MAX),
    contentType: file.type || 'application/octet-stream',
    bytes: new Uint8Array(await file.arrayBuffer()),
  };
}

function refuse(name: string, sentence: string): GatewayError {
  return new GatewayError('invalid_request', `Invalid value for '${name}': ${sentence}.`, { param: name });
}
