import { DropletsController } from '../registry/droplets.controller.js';
import { OperatorController } from '../registry/operator.controller.js';
import { describe, type Operation } from './operation.js';
import { ref } from './schema.js';

const answer = { description: 'The droplet as it is now', schema: ref('DropletAnswer') };

const ordered = (id: string, summary: string, description: string): Operation => ({
  ...{ id, tag: 'Droplets', summary, description: `${description} Durable, and known to every replica.`, answer },
  errors: ['DROPLET_NOT_FOUND', 'STORAGE_UNAVAILABLE'],
});

export const DROPLET_ROUTES = [
  describe(DropletsController, {
    list: {
      ...{ id: 'listDroplets', tag: 'Droplets', summary: 'List the droplets, with how their calls go' },
      answer: { description: 'Every droplet that is known', schema: ref('DropletList') },
      errors: ['REGISTRY_ERROR'],
    },
    byName: {
      ...{ id: 'getDropletByName', tag: 'Droplets', summary: 'Find a droplet by its name' },
      answer,
      errors: ['DROPLET_NOT_FOUND'],
    },
    one: {
      ...{ id: 'getDroplet', tag: 'Droplets', summary: 'Find a droplet by its id or name' },
      answer,
      errors: ['DROPLET_NOT_FOUND'],
    },
  }),
  describe(OperatorController, {
    pause: ordered(
      'pauseDroplet',
      'Hold a droplet’s traffic',
      'Synchronous tasks get 503 `CIRCUIT_OPEN`, asynchronous ones wait.',
    ),
    resume: ordered('resumeDroplet', 'Let a droplet’s traffic go on', 'Ends a pause.'),
    breaker: {
      ...ordered('setBreaker', 'Open or close a droplet’s breaker by hand', 'Holds until `auto` gives it back to its own count.'),
      body: {
        schema: ref('BreakerCommand'),
        examples: { auto: { summary: 'By its failures again', value: { state: 'auto' } } },
      },
    },
  }),
];
