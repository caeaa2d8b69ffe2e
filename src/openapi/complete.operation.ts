import type { Access } from '../common/access.js';
import type { ErrorCode } from '../common/errors.js';
import { STATUS } from '../inbound/error.reply.js';
import type { Route } from './described.js';
import { errorAnswers, headerRef } from './error.answers.js';
import type { Answer, Operation } from './operation.js';
import { PATH_PARAMETERS } from './parameters.js';
import type { Schema } from './schema.js';

/** An operation as @nestjs/swagger gives it. */
export interface Bare {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, unknown>>;
}

/** An operation with all that is known of it. */
export function completeOperation(path: string, bare: Bare, { operation, access }: Route): Schema {
  const { id, summary, description, tag, body, callbacks } = operation;
  const inPath = (bare.parameters ?? []).flatMap(({ name, in: place }) => (place === 'path' ? [name] : []));
  return {
    tags: [tag],
    ...{ operationId: id, summary, description: [description, ACCESS_TEXT[access]].filter(Boolean).join('\n\n') },
    security: SECURITY[access],
    parameters: [...inPath.map((name) => pathParameter(name, path)), ...(operation.parameters ?? []), REQUEST_ID],
    ...(body ? { requestBody: requestBody(body) } : {}),
    responses: { ...answers(operation, bare), ...errors(path, operation, access) },
    ...(callbacks ? { callbacks } : {}),
  };
}

const REQUEST_ID = { $ref: '#/components/parameters/RequestId' };

const needs = (scope: string) => [{ bearer: [scope] }, { apiKey: [scope] }];

const SECURITY: Readonly<Record<Access, readonly Schema[]>> = {
  nothing: [],
  metrics: [{}, ...needs('any')],
  'tasks:write': needs('tasks:write'),
  'tasks:read': needs('tasks:read'),
  'droplets:read': needs('droplets:read'),
  'droplets:write': needs('droplets:write'),
  admin: needs('admin'),
};

const scopeText = (scope: string): string => `With \`AUTH_MODE\` set, the scope \`${scope}\` is needed.`;

const ACCESS_TEXT: Readonly<Record<Access, string>> = {
  nothing: 'Never needs a key.',
  metrics: 'Needs a key, of any scope, only where `METRICS_PUBLIC` is false.',
  'tasks:write': scopeText('tasks:write'),
  'tasks:read': scopeText('tasks:read'),
  'droplets:read': scopeText('droplets:read'),
  'droplets:write': scopeText('droplets:write'),
  admin: scopeText('admin'),
};

function pathParameter(name: string, path: string): Schema {
  const parameter = PATH_PARAMETERS[name];
  if (!parameter) throw new Error(`${path}: parameters.ts says nothing of {${name}}`);
  return { $ref: `#/components/parameters/${parameter}` };
}

const requestBody = ({ schema, examples, isOptional }: NonNullable<Operation['body']>): Schema => ({
  required: !isOptional,
  content: { 'application/json': { schema, examples } },
});

/** The status of success is that of the route; the others are said. */
function answers({ answer, moreAnswers = {} }: Operation, { responses }: Bare): Schema {
  const [status = '200'] = Object.keys(responses);
  const all = [[status, answer] as const, ...Object.entries(moreAnswers)];
  return Object.fromEntries(all.map(([code, each]) => [code, answerOf(each)]));
}

function answerOf({ description, schema, example, headers = [], text = [] }: Answer): Schema {
  const json = schema && { 'application/json': { schema, ...(example === undefined ? {} : { example }) } };
  const content = { ...json, ...Object.fromEntries(text.map(({ type, ...media }) => [type, media])) };
  return {
    description,
    headers: Object.fromEntries(['X-Request-ID', ...headers].map(headerRef)),
    ...(Object.keys(content).length > 0 ? { content } : {}),
  };
}

/** What any request may meet, and what follows from its access, its body and its path. */
function errors(path: string, { body, errors: own = [] }: Operation, access: Access): Schema {
  const guarded: ErrorCode[] = access === 'nothing' ? [] : ['UNAUTHORIZED', 'FORBIDDEN', 'RATE_LIMITED'];
  const ofBody: ErrorCode[] = body ? ['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] : [];
  const statusOf = (code: ErrorCode): number =>
    code === 'DROPLET_NOT_FOUND' && path.startsWith('/orchestrator/droplets/') ? 404 : STATUS[code];
  const found = errorAnswers(['INVALID_REQUEST', ...guarded, ...ofBody, ...own, 'INTERNAL_ERROR'], statusOf);
  const ofHttp = [...(body ? [408] : []), ...(path.includes('{') ? [414] : []), 431];
  for (const status of ofHttp) found.set(status, `InvalidRequest-${status}`);
  return Object.fromEntries([...found].map(([status, name]) => [status, { $ref: `#/components/responses/${name}` }]));
}
