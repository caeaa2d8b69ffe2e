import { MessageController } from '../udc/message.controller.js';
import { describe, type Operation } from './operation.js';
import { ref } from './schema.js';

const probe = (id: string, summary: string): Operation => ({
  ...{ id, tag: 'Messages', summary, description: 'For those who check that the route is there.' },
  answer: { description: 'What it is for', schema: ref('Endpoint') },
});

const envelope = { trace_id: 'order-4711', source: 'shop', target: 'orchestrator', timestamp: '2026-01-31T12:00:00Z' };

export const MESSAGE_ROUTES = [
  describe(MessageController, {
    receive: {
      ...{ id: 'sendMessage', tag: 'Messages', summary: 'Give the orchestrator a message' },
      description: 'Commands and queries are carried out and answered in `data`; one that fails is 200 with result `error`.',
      body: {
        schema: ref('Message'),
        examples: {
          query: {
            summary: 'Ask how it is',
            value: { ...envelope, message_type: 'query', payload: { query: 'system_status' } },
          },
          command: {
            summary: 'Have a task run',
            value: {
              ...{ ...envelope, message_type: 'command' },
              payload: { command: 'create_task', task_data: { droplet_name: 'orchestrator', path: '/health' } },
            },
          },
          event: { summary: 'Tell it something', value: { ...envelope, message_type: 'event', payload: { sold: 3 } } },
        },
      },
      answer: { description: 'It was received', schema: ref('MessageAnswer') },
    },
    send: {
      ...{ id: 'deliverMessage', tag: 'Messages', summary: 'Have a message delivered to a droplet' },
      description: 'To its `/message`, retried as tasks are. 200 also when it could not be delivered: `sent` has that.',
      body: {
        schema: ref('Send'),
        examples: {
          event: {
            summary: 'An event, tried once',
            value: { target: 'orchestrator', message_type: 'event', payload: { sold: 3 }, priority: 'high', retry_count: 1 },
          },
        },
      },
      answer: { description: 'Whether it was delivered', schema: ref('SendAnswer') },
    },
    describeMessage: probe('describeMessage', 'What POST /message is for'),
    describeSend: probe('describeSend', 'What POST /send is for'),
  }),
];
