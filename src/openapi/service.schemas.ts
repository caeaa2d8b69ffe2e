import {
  anyObject,
  boolean,
  epoch,
  fixed,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  string,
  time,
  type Schema,
} from './schema.js';

const dependency = (id: Schema, name: string, statuses: readonly string[]): Schema =>
  object({ id, name: fixed(name, 'Its name'), status: oneOf(statuses, 'Whether it is there') });

const index = object({
  name: string('SERVICE_NAME'),
  version: string('Its version'),
  links: { type: 'object', description: 'The path of each page', additionalProperties: { type: 'string' } },
});

const info = object({
  id: integer('DROPLET_ID'),
  name: string('SERVICE_NAME'),
  version: string('Its version'),
  registry_url: string('The Registry; with the built-in one, PUBLIC_URL'),
  registered: boolean('Whether the Registry lists us'),
  last_registry_sync: { ...nullable(epoch('When the list was last read; null before it')) },
  cache_status: oneOf(['active', 'stale', 'unavailable'], 'How fresh the list is'),
  cache_age_seconds: integer('Its age; 999999 when there never was one', { minimum: 0 }),
});

const state = object({
  state: oneOf(['active', 'inactive', 'error'], 'As on the health page'),
  cpu_percent: number('Of one core, since it was last asked'),
  memory_mb: number('Resident'),
  uptime_seconds: number('Since the process started'),
  requests_total: integer('Requests answered', { minimum: 0 }),
  requests_per_minute: number('In the last minute', { minimum: 0 }),
  errors_last_hour: integer('Answers of 500 and above in the last hour', { minimum: 0 }),
  last_restart: time('When the process started'),
});

const messageAnswer = object({
  received: fixed(true, 'Always true'),
  trace_id: { description: 'As it was sent', type: ['string', 'integer'] },
  processed_at: time('When'),
  result: oneOf(['success', 'queued', 'error'], 'What came of it'),
  data: { description: 'The task, the list, the health page, or `code` and `message` of an error; null for status and event' },
});

export const SERVICE_SCHEMAS: Readonly<Record<string, Schema>> = {
  Index: index,
  Info: info,
  Capabilities: object({
    version: string('Its version'),
    features: list(string('A feature'), { description: 'What it can do' }),
    dependencies: list(string('A service'), { description: 'What it needs' }),
    udc_version: string('Of the mesh’s conventions'),
    metadata: object({ build_date: time('When it was built'), registry_url: string('The Registry') }),
  }),
  State: state,
  Dependencies: object({
    required: list(dependency(fixed(1, 'Its id'), 'registry', ['connected', 'unavailable'])),
    optional: list(dependency({ type: 'null' }, 'registry_cache', ['connected', 'degraded'])),
    missing: list(anyObject('None yet'), { maxItems: 0 }),
  }),
  MessageAnswer: messageAnswer,
  SendAnswer: object({
    sent: boolean('Whether the droplet took it'),
    trace_id: string('Names the message', { format: 'uuid' }),
    target: { description: 'As it was sent', type: ['string', 'integer'] },
    timestamp: time('When'),
    result: oneOf(['success', 'error'], 'What came of it'),
  }),
  Endpoint: object({
    endpoint: oneOf(['message', 'send'], 'Its name'),
    method: oneOf(['POST'], 'How it is used'),
    description: string('What it does'),
  }),
};
