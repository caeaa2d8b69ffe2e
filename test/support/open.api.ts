import { expect } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { HttpAnswer } from './http.client.js';
import { ROOT } from './process.js';

export const OPENAPI_FILE = path.join(ROOT, 'openapi.json');
export const openApi: any = JSON.parse(readFileSync(OPENAPI_FILE, 'utf8'));

/** An operation of the document, with its place in it. */
export interface DocumentedOperation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly pointer: string;
  readonly body: any;
}

const escaped = (part: string): string => part.replaceAll('~', '~0').replaceAll('/', '~1');
const pointerTo = (...parts: readonly string[]): string => `#/${parts.map(escaped).join('/')}`;

export const operations: readonly DocumentedOperation[] = Object.entries<any>(openApi.paths).flatMap(([url, methods]) =>
  Object.entries<any>(methods).map(([method, { operationId: id, requestBody: body }]) => ({
    ...{ id, method: method.toUpperCase(), path: url, pointer: pointerTo('paths', url, method), body },
  })),
);

/** Every object holds what the document says and nothing else, so that a member that it does not tell of is found. */
function closed(schema: any): any {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const members = Object.fromEntries(Object.entries(schema).map(([name, member]) => [name, closed(member)]));
  const isOpen = schema.type === 'object' && schema.properties !== undefined && schema.additionalProperties === undefined;
  return isOpen ? { ...members, additionalProperties: false } : members;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ajv = new Ajv2020({
  strict: false,
  allErrors: true,
  formats: { 'date-time': TIME, uuid: UUID, uri: (text: string) => URL.canParse(text), 'uri-reference': /^\S+$/ },
});
ajv.addSchema(closed(openApi), 'openapi');

/** What is wrong with a value by the schema at a place of the document. */
function faultsOf(value: unknown, pointer: string): string[] {
  const validate = ajv.getSchema(`openapi${pointer}`) ?? ajv.compile({ $ref: `openapi${pointer}` });
  void validate(value);
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

/** Fails unless the value is what the document says there. */
export function expectSchema(value: unknown, ...parts: readonly string[]): void {
  expect(faultsOf(value, pointerTo(...parts))).toEqual([]);
}

/** The place that a reference leads to, or the place itself. */
function followed(pointer: string): { readonly pointer: string; readonly value: any } {
  const parts = pointer
    .slice(2)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const value = parts.reduce((node: any, part) => node?.[part], openApi);
  return typeof value?.$ref === 'string' ? followed(value.$ref) : { pointer, value };
}

/** Headers that say something of the answer, and must not come unannounced. */
const TELLING = ['retry-after', 'www-authenticate', 'location', 'preference-applied', 'idempotency-replayed', 'etag', 'allow'];

/** Fails unless the answer is one that the document has for the operation: its status, type, headers and body. */
export function expectDocumented({ id, pointer }: DocumentedOperation, answer: HttpAnswer): void {
  const { status, headers, json, text } = answer;
  const found = followed(`${pointer}/responses/${status}`);
  expect([id, status, found.value === undefined ? text : 'documented']).toEqual([id, status, 'documented']);
  const announced = Object.keys(found.value.headers).map((name) => name.toLowerCase());
  const unannounced = TELLING.filter((name) => headers.has(name) && !announced.includes(name));
  expect([id, status, unannounced, headers.has('x-request-id')]).toEqual([id, status, [], true]);
  if (status === 304) return expect(text).toBe('');
  const type = headers.get('content-type')?.split(';')[0] ?? '';
  expect([id, Object.keys(found.value.content ?? {})]).toEqual([id, expect.arrayContaining([type])]);
  const body = type === 'application/json' ? json : text;
  expect([id, status, faultsOf(body, `${found.pointer}/content/${escaped(type)}/schema`)]).toEqual([id, status, []]);
}

/** The code of an error and the status it came with, documented for the operation. */
export function expectDocumentedError(operation: DocumentedOperation, answer: HttpAnswer, status: number, code: string): void {
  expect([operation.id, answer.status, answer.json?.error?.code]).toEqual([operation.id, status, code]);
  expectDocumented(operation, answer);
}

export function operation(id: string): DocumentedOperation {
  const found = operations.find((each) => each.id === id);
  if (!found) throw new Error(`The document has no operation ${id}`);
  return found;
}
