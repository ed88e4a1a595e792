import type { DialectTarget, EncodedRequest } from '#providers/provider';
import { applyFieldQuirks } from '#providers/wire/field-quirks';
import { joinUrl, requestHeaders } from '#providers/wire/request-headers';
import { ROUTER_FIELDS } from '#providers/wire/router-fields';
import { userFields } from '#providers/wire/user-fields';
import type { UnitBody, UnitFile } from '#schema/unit';

/** Encodes a request as JSON; `accept` is the kind of answer that is expected. */
export function encodeJson(path: string, asked: UnitBody, target: DialectTarget, accept = 'application/json'): EncodedRequest {
  return {
    url: joinUrl(target.url, path),
    headers: { ...requestHeaders(target, false, null), accept },
    body: JSON.stringify(fieldsFor(asked, target)),
  };
}

/** Encodes a request with a file as a form, in OpenAI's way of writing lists and objects. */
export function encodeForm(path: string, asked: UnitBody, target: DialectTarget, accept: string): EncodedRequest<FormData> {
  // The runtime writes the content type, because it draws the boundary.
  const { 'content-type': _, ...headers } = requestHeaders(target, false, null);
  const form = new FormData();
  for (const [field, value] of Object.entries(fieldsFor(asked, target))) appendField(form, field, value);
  if (asked.file !== null) form.append(asked.file.field, toFile(asked.file));
  return { url: joinUrl(target.url, path), headers: { ...headers, accept }, body: form };
}

function fieldsFor({ fields }: UnitBody, target: DialectTarget): Record<string, unknown> {
  const asked = Object.entries(fields).filter(([field]) => !ROUTER_FIELDS.has(field));
  return applyFieldQuirks({ ...Object.fromEntries(asked), ...userFields(fields, target), model: target.upstreamModel }, target.quirks);
}

function appendField(form: FormData, field: string, value: unknown): void {
  if (Array.isArray(value)) for (const item of value) form.append(`${field}[]`, toText(item));
  else form.append(field, toText(value));
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function toFile({ name, contentType, bytes }: UnitFile): File {
  return new File([bytes], name, { type: contentType });
}
