import { anyObject, integer, nullable, object, oneOf, string, time, type Schema } from './schema.js';

const registry = object(
  {
    status: oneOf(['healthy', 'degraded', 'unhealthy'], 'Last sync good, answered badly, or not answered'),
    url: string('Where it is'),
    error: string('How the last sync failed; only there when it did'),
  },
  ['error'],
);

const dependencies = object({
  registry,
  cache: object({
    status: oneOf(['active', 'stale', 'unavailable'], 'How fresh the droplet list is'),
    age_seconds: integer('Its age; 999999 when there never was one', { minimum: 0 }),
    droplet_count: integer('How many it holds', { minimum: 0 }),
  }),
  storage: object({ status: oneOf(['healthy', 'unhealthy'], 'Whether the store takes writes') }),
});

export const HEALTH_SCHEMAS: Readonly<Record<string, Schema>> = {
  Health: object({
    status: oneOf(['active', 'inactive', 'error'], '`inactive` while it leaves; `error` without a droplet list or a store'),
    service: string('Always `orchestrator`'),
    version: string('Its version'),
    timestamp: time('When it was answered'),
    id: integer('DROPLET_ID'),
    name: string('SERVICE_NAME'),
    steward: nullable(string('STEWARD')),
    endpoint: string('PUBLIC_URL'),
    updated_at: time('The same as `timestamp`'),
    dependencies,
  }),
  Probe: object({
    status: oneOf(['ok'], 'Always `ok`'),
    info: anyObject('What is well, by name'),
    error: anyObject('Always empty'),
    details: anyObject('The same as `info`'),
  }),
};
