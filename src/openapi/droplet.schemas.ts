import { anyObject, fixed, integer, list, nullable, number, object, oneOf, ref, string, time, type Schema } from './schema.js';

const health = object({
  state: oneOf(['up', 'degraded', 'down', 'unknown'], 'How its calls go; `unknown` before the first'),
  breaker: oneOf(['closed', 'open', 'half-open', 'paused'], 'Whether calls pass: `open` and `paused` hold them'),
  in_flight: integer('Calls under way', { minimum: 0 }),
  success_rate_percent: nullable(number('Of the last minute; null without calls', { minimum: 0, maximum: 100 })),
  p95_ms: nullable(number('Of the last minute; null without calls', { minimum: 0 })),
});

const droplet = object({
  id: { description: 'Its id in the Registry', type: ['integer', 'string'] },
  name: string('Its name'),
  endpoint: string('Where it is called'),
  url: string('The same as `endpoint`'),
  version: nullable(string('What it says of itself')),
  metadata: { ...anyObject('What it says of itself'), type: ['object', 'null'] },
  steward: nullable(string('Who looks after it')),
  status: string('The Registry’s word: `active`, `inactive`, `error`'),
  proof: { description: 'What it says of itself: any JSON value' },
  cost_usd: number('What it says of itself'),
  yield_usd: number('What it says of itself'),
  registered_at: { description: 'When it was registered, as the Registry writes it', type: ['string', 'null'] },
  updated_at: { description: 'When its entry last changed, as the Registry writes it', type: ['string', 'null'] },
  health: { ...health, description: 'How its calls from here go' },
});

export const DROPLET_SCHEMAS: Readonly<Record<string, Schema>> = {
  Droplet: droplet,
  DropletAnswer: object({ droplet: ref('Droplet'), timestamp: time('When it was answered') }),
  DropletList: object({
    droplets: list(ref('Droplet'), { description: 'Every one that is known' }),
    cache_status: oneOf(['active', 'stale', 'unavailable'], 'How fresh the list is'),
    served_from: oneOf(['registry', 'cache'], '`registry` when this request waited for a refresh, or the Registry is built in'),
    total: integer('How many', { minimum: 0 }),
    timestamp: time('When it was answered'),
  }),
  Registered: object({
    success: fixed(true, 'Always true'),
    droplet_id: integer('The id it got', { minimum: 1 }),
    message: string('A sentence for people'),
  }),
  Removed: object({ success: fixed(true, 'Always true'), message: string('A sentence for people'), deleted_at: time('When') }),
};
