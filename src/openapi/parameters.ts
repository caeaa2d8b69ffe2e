import { boolean, integer, string, type Schema } from './schema.js';

const header = (name: string, description: string, schema: Schema, example?: string): Schema => ({
  ...{ name, in: 'header', required: false, description, schema },
  ...(example === undefined ? {} : { example }),
});

/** Which parameter a name in a path stands for. */
export const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  id: 'TaskId',
  key: 'DropletKey',
  name: 'DropletName',
  file: 'PageFile',
};

const inPath = (name: string, description: string, schema: Schema): Schema => ({
  name,
  in: 'path',
  required: true,
  description,
  schema,
});

export const PARAMETERS: Readonly<Record<string, Schema>> = {
  TaskId: inPath('id', 'The id of a task', { type: 'string', examples: ['019c0f3e-7b2a-7c31-9d54-0a1b2c3d4e5f'] }),
  DropletKey: inPath('key', 'The id or the name of a droplet; a name without regard to case', {
    type: 'string',
    examples: ['billing'],
  }),
  DropletName: inPath('name', 'The name of a droplet, without regard to case', { type: 'string', examples: ['billing'] }),
  PageFile: inPath('file', 'The name of a file of the page', { type: 'string', examples: ['main.js'] }),
  RequestId: header(
    'X-Request-ID',
    'Names the request in logs and in the answer; one that does not fit is replaced, never refused.',
    { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
    'order-4711',
  ),
  IdempotencyKey: header(
    'Idempotency-Key',
    'One request a key, for 24 hours and per caller: a repeat gets the stored outcome, and `Idempotency-Replayed: true`. Another request with the same key is 422, one while the first still runs 409. A refused request frees its key.',
    { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
    'order-4711-charge',
  ),
  Prefer: header(
    'Prefer',
    '`respond-async` (RFC 7240): a receipt now, the outcome later. `wait=N`: waits up to N seconds, at most 60, for the outcome, then gives the receipt.',
    { type: 'string' },
    'respond-async',
  ),
  Traceparent: header(
    'traceparent',
    'The trace that the task belongs to (W3C Trace Context); passed on to the droplet.',
    { type: 'string', pattern: '^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}' },
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  ),
  Since: {
    ...{ name: 'since', in: 'query', required: false, description: 'Only what ended after this time, epoch seconds' },
    schema: { type: 'number', minimum: 0 },
    example: 0,
  },
  LastEventId: header(
    'Last-Event-ID',
    'The id of the last event that came: the stream goes on after it while it is still kept.',
    {
      type: 'string',
    },
  ),
  IfNoneMatch: header('If-None-Match', 'The `ETag` of the copy at hand: 304 when it is still the same.', { type: 'string' }),
};

export const parameter = (name: string): Schema => ({ $ref: `#/components/parameters/${name}` });

/** The headers of answers. */
export const HEADERS: Readonly<Record<string, Schema>> = {
  'X-Request-ID': {
    description: 'Names the request: as it was sent, or made here. On every answer.',
    schema: string('The id', { pattern: '^[A-Za-z0-9._-]{1,128}$' }),
  },
  'Retry-After': {
    description: 'After how many seconds to try again; there when waiting helps',
    schema: integer('Seconds', { minimum: 0 }),
  },
  'WWW-Authenticate': { description: 'How to say who one is (RFC 6750)', schema: string('The challenge') },
  Location: { description: 'Where the task is to be found', schema: string('The path', { format: 'uri-reference' }) },
  'Preference-Applied': { description: 'Which preferences were granted (RFC 7240)', schema: string('The preferences') },
  'Idempotency-Replayed': {
    description: 'There when the answer is the stored one of an earlier request',
    schema: boolean('Always true'),
  },
  Allow: { description: 'The methods that the path has', schema: string('The methods') },
  ETag: { description: 'Names this version of the file', schema: string('The tag') },
};
