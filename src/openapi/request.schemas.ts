import { BreakerCommand } from '../registry/operator.controller.js';
import { DropletChange, HeartbeatReport, NewDroplet } from '../registry/registration.dto.js';
import { RetryTasks } from '../tasks/retry-tasks.dto.js';
import { SubmitTask } from '../tasks/submit-task.dto.js';
import { MAX_BATCH } from '../tasks/task.batch.js';
import { Message, Send } from '../udc/message.dto.js';
import { DROPLET_TEXTS, MESSAGE_TEXTS, RETRY_TEXTS, SEND_TEXTS, SUBMIT_TEXTS } from './field.texts.js';
import { requestSchema } from './request.schema.js';
import { list, ref, type Schema } from './schema.js';

/** The bodies of requests: limits from the validation itself. */
export const REQUEST_SCHEMAS: Readonly<Record<string, Schema>> = {
  SubmitTask: requestSchema(SubmitTask, SUBMIT_TEXTS),
  SubmitBatch: {
    type: 'object',
    required: ['tasks'],
    properties: {
      tasks: list(ref('SubmitTask'), {
        ...{ minItems: 1, maxItems: MAX_BATCH },
        description: 'Each asynchronous; a wrong one is refused by itself, in its place in `results`',
      }),
    },
  },
  RetryTasks: requestSchema(RetryTasks, RETRY_TEXTS),
  NewDroplet: requestSchema(NewDroplet, {
    ...DROPLET_TEXTS,
    name: { description: 'Unique', examples: ['billing'] },
    id: { description: 'Given by the Registry when it is not said' },
    endpoint: { ...DROPLET_TEXTS.endpoint, description: 'Where it is called; this or `url` is needed' },
  }),
  DropletChange: requestSchema(DropletChange, { ...DROPLET_TEXTS, name: { description: 'Its new name' } }),
  HeartbeatReport: requestSchema(HeartbeatReport, {
    status: { description: 'How it is; `active` when it does not say' },
    metrics: { description: 'Figures of its own' },
  }),
  BreakerCommand: requestSchema(BreakerCommand, {
    state: { description: '`open`: no call passes; `closed`: all do, whatever fails; `auto`: by its failures' },
  }),
  Message: requestSchema(Message, MESSAGE_TEXTS),
  Send: requestSchema(Send, SEND_TEXTS),
};
