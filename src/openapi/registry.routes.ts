import { RegistryController } from '../registry/registry.controller.js';
import { describe, type RequestExample } from './operation.js';
import { ref } from './schema.js';

const answer = { description: 'The entry as it is now', schema: ref('DropletAnswer') };

const entry = (name: string): Readonly<Record<string, RequestExample>> => ({
  entry: {
    summary: 'A droplet',
    value: {
      name,
      endpoint: 'http://billing.internal:8080',
      version: '2.3.0',
      steward: 'payments',
      metadata: { team: 'payments' },
    },
  },
});

export const REGISTRY_ROUTES = [
  describe(RegistryController, {
    add: {
      ...{ id: 'addDroplet', tag: 'Registry', summary: 'Register a droplet', answer },
      description: '409 when the name or the id is taken.',
      body: { schema: ref('NewDroplet'), examples: entry('billing') },
      errors: ['CONFLICT', 'STORAGE_UNAVAILABLE'],
    },
    register: {
      ...{ id: 'registerDroplet', tag: 'Registry', summary: 'Register a droplet, as droplets do by themselves' },
      description: '409 when the name or the id is taken.',
      body: { schema: ref('NewDroplet'), examples: entry('mailer') },
      answer: {
        description: 'Registered',
        schema: ref('Registered'),
        example: { success: true, droplet_id: 3, message: "Droplet 'mailer' registered" },
      },
      errors: ['CONFLICT', 'STORAGE_UNAVAILABLE'],
    },
    change: {
      ...{ id: 'changeDroplet', tag: 'Registry', summary: 'Change an entry', answer },
      description: 'What is null or absent stays as it is.',
      body: {
        schema: ref('DropletChange'),
        examples: { version: { summary: 'A new version', value: { version: '2.4.0', metadata: { version: '2.4.0' } } } },
      },
      errors: ['DROPLET_NOT_FOUND', 'CONFLICT', 'STORAGE_UNAVAILABLE'],
    },
    heartbeat: {
      ...{ id: 'sendHeartbeat', tag: 'Registry', summary: 'Send a sign of life', answer },
      description: 'A droplet that has sent one is `inactive` after 90 s without.',
      body: {
        schema: ref('HeartbeatReport'),
        examples: { well: { summary: 'All is well', value: { status: 'active', metrics: { queue: 12 } } } },
      },
      errors: ['DROPLET_NOT_FOUND', 'CONFLICT', 'STORAGE_UNAVAILABLE'],
    },
    remove: {
      ...{ id: 'removeDroplet', tag: 'Registry', summary: 'Remove an entry' },
      answer: {
        description: 'Removed',
        schema: ref('Removed'),
        example: { success: true, message: "Droplet 'billing' removed", deleted_at: '2026-01-31T12:00:00.000Z' },
      },
      errors: ['DROPLET_NOT_FOUND', 'CONFLICT', 'STORAGE_UNAVAILABLE'],
    },
  }),
];
