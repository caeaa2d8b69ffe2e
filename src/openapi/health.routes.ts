import { HealthController } from '../health/health.controller.js';
import { describe, type Operation } from './operation.js';
import { ref } from './schema.js';

const probe = (id: string, summary: string, description: string): Operation => ({
  ...{ id, tag: 'Health', summary, description, answer: { description: 'Yes', schema: ref('Probe') } },
});

export const HEALTH_ROUTES = [
  describe(HealthController, {
    page: {
      ...{ id: 'getHealth', tag: 'Health', summary: 'How the orchestrator is' },
      description: 'Always 200, from what the background knows: it calls nobody.',
      answer: { description: 'The health page', schema: ref('Health') },
    },
    live: probe('isLive', 'Does the process answer?', 'The process and its event loop only.'),
    ready: {
      ...probe('isReady', 'May it be sent work?', 'The store takes writes, a droplet list was had, and it is not shutting down.'),
      errors: ['NOT_READY'],
    },
    startup: probe('hasStarted', 'Has it started?', 'The store is open.'),
  }),
];
