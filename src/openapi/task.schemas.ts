import { FINAL_STATUSES, TASK_STATUSES } from '../tasks/task.js';
import { anyObject, boolean, epoch, integer, list, nullable, object, oneOf, ref, string, time, type Schema } from './schema.js';

const EFFECT = oneOf(['none', 'unknown'], 'Whether the request may have taken effect at the droplet');
const ERROR_CODE = ['DROPLET_ERROR', 'DROPLET_UNREACHABLE', 'TIMEOUT', 'RESPONSE_TOO_LARGE', 'CANCELLED', 'INTERRUPTED'];
const HTTP_STATUS = { minimum: 100, maximum: 999 };
const ID = string('The id of the task', { format: 'uuid' });
const STATUS = oneOf(TASK_STATUSES, 'Where the task stands; the last four are final');

const errorDetails = object(
  {
    effect: EFFECT,
    stopped_by: oneOf(
      ['attempts', 'deadline', 'budget', 'breaker', null],
      'What stopped further attempts; null when the failure deserved none',
    ),
    reason: string('`address_refused` when the droplet’s address may not be called'),
    droplet_status: string('The Registry’s word on a droplet that is not active'),
  },
  ['reason', 'droplet_status'],
);

const responseBody = {
  description:
    'What the droplet answered: a JSON value of any kind, with its numbers as written; text that is no JSON as a string; null for an empty body. A stored one that is too large is replaced by an object with `_truncated`.',
};

const outcome: Readonly<Record<string, Schema>> = {
  target_url: string('Where the droplet was called'),
  response_status: nullable(integer('What the droplet answered; null when there was no answer', HTTP_STATUS)),
  retry_count: integer('Failed attempts: 0 on a success at first try', { minimum: 0 }),
  attempts: integer('Attempts made', { minimum: 0 }),
  duration_ms: nullable(integer('From the first attempt to the end; null until then', { minimum: 0 })),
  error: { description: 'Why it did not succeed; null when it did, or is not over', oneOf: [ref('TaskError'), { type: 'null' }] },
};

/** What an event and a list show. */
const members: Readonly<Record<string, Schema>> = {
  id: ID,
  droplet_name: string('As it was typed'),
  method: string('The method'),
  path: string('The path, with its query'),
  status: STATUS,
  ...outcome,
  created_at: epoch('When it was accepted'),
  completed_at: { ...nullable(epoch('When it became final; null until then')) },
  error_message: nullable(string('The message of `error`')),
  meta: { description: 'As it was submitted', type: ['object', 'null'], additionalProperties: { type: 'string' } },
  priority: integer('9 first', { minimum: 0, maximum: 9 }),
  run_at: { ...nullable(time('When an asynchronous task was first due; null for a synchronous one')) },
  callback: {
    description: 'How the delivery of its callback goes; null without one',
    oneOf: [ref('CallbackState'), { type: 'null' }],
  },
};

const listed = { ...members, response_body: responseBody };

export const TASK_SCHEMAS: Readonly<Record<string, Schema>> = {
  TaskError: object({
    code: oneOf(ERROR_CODE, 'What kind of failure'),
    message: string('A sentence for people'),
    details: errorDetails,
  }),
  TaskResult: object({
    task_id: ID,
    status: STATUS,
    ...outcome,
    response_body: responseBody,
    recorded: boolean('False when the store failed after the call: this answer is then all there is'),
  }),
  TaskRecord: object({ ...listed, history: list(ref('Attempt'), { description: 'Every attempt, oldest first' }) }),
  ListedTask: object(listed),
  TaskEvent: { ...object(members), description: 'The data of an event: the task without what was answered' },
  Attempt: object({
    attempt: integer('Its number', { minimum: 1 }),
    started_at: epoch('When it was made'),
    duration_ms: integer('How long it took', { minimum: 0 }),
    response_status: nullable(integer('What the droplet answered', HTTP_STATUS)),
    error_code: oneOf([...ERROR_CODE, null], 'How it failed; null for a success'),
    delay_ms: integer('The wait before it', { minimum: 0 }),
    endpoint: nullable(string('Which endpoint was called; null when the droplet was not known')),
    effect: EFFECT,
  }),
  CallbackState: object({
    status: oneOf(['pending', 'delivered', 'failed'], 'Where it stands'),
    attempts: integer('Deliveries tried', { minimum: 0 }),
    last_error: nullable(string('How the last one failed')),
  }),
  TaskPage: object({
    tasks: list(ref('ListedTask'), { description: 'Newest first' }),
    total: integer('All matches, before limit and cursor', { minimum: 0 }),
    limit: integer('The most that a page holds', { minimum: 1, maximum: 1000 }),
    total_exact: boolean('False when `total` is a lower bound, which it may be above 10,000 with filters'),
    next_cursor: nullable(string('Give it as `cursor` for the next page; null on the last', { format: 'uuid' })),
  }),
  BatchResult: object({
    results: list({ oneOf: [ref('BatchAccepted'), ref('BatchRefused')] }, { description: 'One for each task, in their order' }),
    accepted: integer('How many were accepted', { minimum: 0 }),
    rejected: integer('How many were refused', { minimum: 0 }),
  }),
  BatchAccepted: object({ task_id: ID, status: STATUS }),
  BatchRefused: object({ error: ref('Failure') }),
  Scheduled: object({ scheduled: integer('How many will run again', { minimum: 0 }) }),
  CallbackBody: object({
    type: oneOf(
      FINAL_STATUSES.map((status) => `task.${status}`),
      'How the task ended',
    ),
    timestamp: time('When this delivery was tried'),
    data: ref('TaskRecord'),
  }),
  MessageToDroplet: object({
    trace_id: string('Names the message', { format: 'uuid' }),
    source: string('Always `orchestrator`'),
    target: { description: 'As it was sent', type: ['string', 'integer'] },
    message_type: oneOf(['status', 'event', 'command', 'query'], 'What kind of message'),
    payload: anyObject('What was sent'),
    priority: oneOf(['high', 'normal', 'low'], 'As it was sent'),
    timestamp: time('When it was sent'),
  }),
};
