import type { ErrorCode } from '../common/errors.js';
import { errorBody, errorReply, STATUS } from '../inbound/error.reply.js';
import { ERROR_TEXTS, type ErrorText } from './error.texts.js';
import { fixed, object, oneOf, ref, string, time, type Schema } from './schema.js';

/** Any moment will do. */
const EXAMPLE_TIME = Date.UTC(2026, 0, 31, 12);

const ERROR_CODES = Object.keys(STATUS) as ErrorCode[];

const pascal = (code: ErrorCode): string =>
  code
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');

const schemaName = (code: ErrorCode): string => `${pascal(code)}Error`;

/** The schemas of all errors, a member each. */
export function errorSchemas(): Readonly<Record<string, Schema>> {
  const each = ERROR_CODES.map((code) => [schemaName(code), errorSchema(code, ERROR_TEXTS[code])] as const);
  const field = object({
    field: string('The field, or the part of the request'),
    message: string('What is wrong with it; never its value'),
  });
  const failure = object({
    code: oneOf(ERROR_CODES, 'Which error: the one thing to decide by'),
    message: string('A sentence for people'),
    details: { description: 'What more there is to say, by code', type: ['object', 'null'], additionalProperties: true },
  });
  return { FieldError: field, Failure: failure, ...Object.fromEntries(each) };
}

function errorSchema(code: ErrorCode, { when, details = { type: 'null', description: 'Nothing more' } }: ErrorText): Schema {
  const error = object({ code: fixed(code, 'Which error'), message: string('A sentence for people'), details });
  const status = fixed('error', 'Always');
  const pair = object({ status, error });
  return {
    description: when,
    ...object({
      status,
      error,
      timestamp: time('When it was answered'),
      detail: { ...pair, description: 'The same pair again, where clients of v1.1.0 look' },
    }),
  };
}

/** The answers that an operation gives with errors, by status. */
export function errorAnswers(codes: readonly ErrorCode[], statusOf: (code: ErrorCode) => number): Map<number, string> {
  const statuses = new Set(codes.map(statusOf));
  return new Map(
    [...statuses].map((status) => [
      status,
      answerName(
        status,
        codes.filter((code) => statusOf(code) === status),
      ),
    ]),
  );
}

/** The name of the answer with this status that has one of these codes; `errorAnswer` takes it apart again. */
const answerName = (status: number, codes: readonly ErrorCode[]): string => [...[...codes].sort().map(pascal), status].join('-');

/** The answer of that name. */
export function errorAnswer(name: string): Schema {
  const parts = name.split('-');
  const status = Number(parts.at(-1));
  const codes = ERROR_CODES.filter((code) => parts.includes(pascal(code)));
  const [only] = codes;
  const refs = codes.map((code) => ref(schemaName(code)));
  const examples = codes.map((code) => [code, { summary: ERROR_TEXTS[code].when, value: exampleOf(code, status) }] as const);
  const mapping = codes.length === 1 && only ? ref(schemaName(only)) : { anyOf: refs };
  return {
    description: codes.map((code) => `\`${code}\`: ${ERROR_TEXTS[code].when}`).join('\n\n'),
    headers: Object.fromEntries(['X-Request-ID', ...codes.flatMap((code) => ERROR_TEXTS[code].headers ?? [])].map(headerRef)),
    content: { 'application/json': { schema: mapping, examples: Object.fromEntries(examples) } },
  };
}

export const headerRef = (name: string): readonly [string, Schema] => [name, { $ref: `#/components/headers/${name}` }];

function exampleOf(code: ErrorCode, status: number): object {
  const { message, example = null } = ERROR_TEXTS[code];
  return errorBody(errorReply(code, message, { status, details: example }), EXAMPLE_TIME);
}

/** Every code with its status and meaning, as a table. */
export function errorTable(): string {
  const rows = ERROR_CODES.map((code) => `| \`${code}\` | ${STATUS[code]} | ${ERROR_TEXTS[code].when} |`);
  return ['| code | status | when |', '|---|---|---|', ...rows].join('\n');
}
