import { isJsonObject } from '../common/json.js';

export const MAX_HEADERS = 32;
const MAX_HEADER_BYTES = 8192;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const HEADER_VALUE = /^[\x20-\x7e\t]*$/;

/** Headers that are ours, the connection's, or would let a caller pass for somebody else; contract §6. */
const REFUSED = new Set([
  ...['host', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'upgrade', 'te', 'trailer', 'cookie'],
  ...['idempotency-key', 'expect', 'accept-encoding', 'x-request-id', 'traceparent', 'tracestate'],
]);
const REFUSED_PREFIX = /^(proxy-|x-forwarded-|x-task-)/;

/** What is wrong with an object of strings, or null. */
export function stringMapFault(value: unknown): string | null {
  const isMap = isJsonObject(value) && Object.values(value).every((member) => typeof member === 'string');
  return isMap ? null : 'must be an object of strings';
}

/** What is wrong with the headers for a droplet, or null; contract §2 and §6. */
export function headersFault(value: unknown): string | null {
  const shape = stringMapFault(value);
  if (shape) return shape;
  const entries = Object.entries(value as Record<string, string>);
  if (entries.length > MAX_HEADERS) return `may hold at most ${MAX_HEADERS} headers`;
  const bytes = entries.reduce((sum, [name, text]) => sum + name.length + text.length, 0);
  if (bytes > MAX_HEADER_BYTES) return `may hold at most ${MAX_HEADER_BYTES} bytes`;
  if (!entries.every(([name, text]) => TOKEN.test(name) && HEADER_VALUE.test(text))) {
    return 'must have tokens as names and printable ASCII as values';
  }
  const names = entries.map(([name]) => name.toLowerCase());
  if (new Set(names).size < names.length) return 'may name a header only once';
  const refused = names.find((name) => REFUSED.has(name) || REFUSED_PREFIX.test(name));
  return refused === undefined ? null : `may not set ${refused}`;
}
