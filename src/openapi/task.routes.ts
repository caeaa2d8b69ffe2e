import { EventsController } from '../tasks/events.controller.js';
import { ListTasks } from '../tasks/list-tasks.dto.js';
import { TasksController } from '../tasks/tasks.controller.js';
import { LIST_TEXTS } from './field.texts.js';
import { describe, type Operation } from './operation.js';
import { parameter } from './parameters.js';
import { requestSchema } from './request.schema.js';
import { fixed, list, object, ref, string, type Schema } from './schema.js';
import { SUBMIT, SUBMIT_BATCH } from './submit.routes.js';

/** The filters of lists and events: limits from the validation itself. */
const FILTERS: readonly Schema[] = [
  ...Object.entries(requestSchema(ListTasks, LIST_TEXTS).properties as Readonly<Record<string, Schema>>).map(
    ([name, { description, ...schema }]) => ({ name, in: 'query', description, schema }),
  ),
  {
    ...{ name: 'meta', in: 'query', style: 'form', explode: true },
    description: 'Any number up to 32 of `meta.KEY=VALUE`: only tasks whose `meta` has them all',
    schema: { type: 'object', additionalProperties: { type: 'string' }, examples: [{ 'meta.order': '4711' }] },
  },
];

const EVENT_EXAMPLE = [
  { id: '5f0c2a9e-17', event: 'task', data: '{"id":"019c0f3e-7b2a-7c31-9d54-0a1b2c3d4e5f","status":"running", …}' },
];

/** A stream is the list of its events, each with its fields (as OpenAPI 3.2 has it). */
const EVENTS = list(
  object({
    id: string('Its place in the stream, for `Last-Event-ID`'),
    event: fixed('task', 'Always'),
    data: string('The task', { contentMediaType: 'application/json', contentSchema: ref('TaskEvent') }),
  }),
);

const LIST: Operation = {
  id: 'listTasks',
  tag: 'Tasks',
  summary: 'List tasks, newest first',
  description: 'Whole records without `history`; a `response_body` over 10 KiB is cut. Without `admin`, only the caller’s own.',
  parameters: FILTERS,
  answer: { description: 'A page', schema: ref('TaskPage') },
  errors: ['STORAGE_UNAVAILABLE'],
};

const RETRY_MANY: Operation = {
  id: 'retryTasks',
  tag: 'Tasks',
  summary: 'Run many unsuccessful tasks again',
  description: 'Those that may run again and that the queue has room for, the newest first. Without a body, all that failed.',
  body: {
    isOptional: true,
    schema: ref('RetryTasks'),
    examples: {
      outage: {
        summary: 'What failed at one droplet in one hour, slowly',
        value: {
          ...{ status: 'error', droplet_name: 'orchestrator', limit: 500, rate_per_second: 20 },
          ...{ created_after: '2026-01-31T12:00:00Z', created_before: '2026-01-31T13:00:00Z' },
        },
      },
    },
  },
  answer: { description: 'How many', schema: ref('Scheduled'), example: { scheduled: 42 } },
  errors: ['OVERLOADED', 'STORAGE_UNAVAILABLE'],
};

const GET: Operation = {
  id: 'getTask',
  tag: 'Tasks',
  summary: 'Show a task with its attempts',
  answer: { description: 'The record', schema: ref('TaskRecord') },
  errors: ['TASK_NOT_FOUND', 'STORAGE_UNAVAILABLE'],
};

const CANCEL: Operation = {
  id: 'cancelTask',
  tag: 'Tasks',
  summary: 'Cancel a task',
  description: 'A queued task is never sent, the live call of a running one is cut off. 409 when it is final.',
  answer: { description: 'The record, now cancelled', schema: ref('TaskRecord') },
  errors: ['TASK_NOT_FOUND', 'CONFLICT', 'STORAGE_UNAVAILABLE'],
};

const RETRY: Operation = {
  id: 'retryTask',
  tag: 'Tasks',
  summary: 'Run an unsuccessful task again',
  description: 'Under its own id; its history goes on. 409 when it is not over, was a success, or carried `Authorization`.',
  answer: { description: 'The record, queued again', schema: ref('TaskRecord') },
  errors: ['TASK_NOT_FOUND', 'CONFLICT', 'OVERLOADED', 'STORAGE_UNAVAILABLE'],
};

const FOLLOW: Operation = {
  id: 'followTasks',
  tag: 'Tasks',
  summary: 'Follow the changes of tasks as they happen',
  description:
    'Server-sent events with the filters of the list (`limit` and `cursor` mean nothing here). Each has `id`, `event: task` and `data`: the task without what was answered. A line `: …` says that the stream still lives. The stream ends at a shutdown; a reader comes back with `Last-Event-ID`.',
  parameters: [...FILTERS, parameter('LastEventId')],
  answer: {
    description: 'The stream; it stays open',
    text: [{ type: 'text/event-stream', schema: EVENTS, example: EVENT_EXAMPLE }],
  },
};

export const TASK_ROUTES = [
  describe(TasksController, {
    submit: SUBMIT,
    submitBatch: SUBMIT_BATCH,
    list: LIST,
    retryMany: RETRY_MANY,
    get: GET,
    cancel: CANCEL,
    retry: RETRY,
  }),
  describe(EventsController, { follow: FOLLOW }),
];
