import type { Operation } from './operation.js';
import { parameter } from './parameters.js';
import { ref } from './schema.js';
import { TASK_CALLBACK } from './webhooks.js';

const DONE = {
  ...{ task_id: '019c0f3e-7b2a-7c31-9d54-0a1b2c3d4e5f', status: 'success', target_url: 'http://localhost:8001/health' },
  ...{ response_status: 200, retry_count: 0, duration_ms: 4, attempts: 1, error: null, recorded: true },
  response_body: { status: 'active' },
};

const QUEUED = {
  ...{ task_id: '019c0f3e-7b2a-7c31-9d54-0a1b2c3d4e5f', status: 'queued', target_url: 'http://localhost:8001/health' },
  ...{ response_status: null, retry_count: 0, duration_ms: null, attempts: 0, error: null, recorded: true, response_body: null },
};

/** `POST /tasks`. */
export const SUBMIT: Operation = {
  id: 'submitTask',
  tag: 'Tasks',
  summary: 'Submit a task',
  description:
    'Synchronous unless `Prefer`, `delay_ms` or `run_at` says otherwise: 200 once the droplet has been called, **whatever it answered**; `status` and `response_status` have that. A task that is refused (any other status here) was not sent and is not recorded.',
  parameters: ['IdempotencyKey', 'Prefer', 'Traceparent'].map(parameter),
  body: {
    schema: ref('SubmitTask'),
    examples: {
      synchronous: {
        summary: 'Call a droplet and wait for its answer',
        value: { droplet_name: 'orchestrator', path: '/health' },
        'x-answered-with': 200,
      },
      careful: {
        summary: 'A POST that is never repeated when it may have taken effect',
        value: {
          ...{ droplet_name: 'orchestrator', method: 'POST', path: '/message' },
          payload: {
            trace_id: 'order-4711',
            source: 'shop',
            target: 'orchestrator',
            message_type: 'event',
            payload: { sold: 3 },
          },
          ...{ meta: { order: '4711' }, headers: { 'Accept-Language': 'en' } },
          ...{ timeout_ms: 20_000, attempt_timeout_ms: 5_000, max_attempts: 3, retry_unsafe: false },
        },
        'x-answered-with': 200,
      },
      delayed: {
        summary: 'A task for later, with a receipt at once',
        value: { droplet_name: 'orchestrator', path: '/health', delay_ms: 60_000, priority: 7, meta: { order: '4711' } },
        'x-answered-with': 202,
      },
    },
  },
  answer: {
    description: 'The droplet has been called, or the key stands for a task that has ended',
    schema: ref('TaskResult'),
    example: DONE,
    headers: ['Idempotency-Replayed', 'Preference-Applied'],
  },
  moreAnswers: {
    202: {
      description: 'The task is durable and will run',
      schema: ref('TaskResult'),
      example: QUEUED,
      headers: ['Location', 'Idempotency-Replayed', 'Preference-Applied'],
    },
  },
  errors: ['DROPLET_NOT_FOUND', 'CONFLICT', 'IDEMPOTENCY_MISMATCH', 'OVERLOADED', 'CIRCUIT_OPEN', 'STORAGE_UNAVAILABLE'],
  callbacks: TASK_CALLBACK,
};

/** `POST /tasks/batch`. */
export const SUBMIT_BATCH: Operation = {
  id: 'submitBatch',
  tag: 'Tasks',
  summary: 'Submit up to 1,000 asynchronous tasks',
  description:
    'The accepted ones are made durable in one transaction; a refused one has its error in its place. `Idempotency-Key` is not looked at. The body may be 16 times `BODY_LIMIT`.',
  parameters: [parameter('Traceparent')],
  body: {
    schema: ref('SubmitBatch'),
    examples: {
      two: {
        summary: 'Two tasks',
        value: {
          tasks: [
            { droplet_name: 'orchestrator', path: '/health' },
            { droplet_name: 'orchestrator', path: '/info', delay_ms: 1_000 },
          ],
        },
      },
    },
  },
  answer: {
    description: 'What became of each',
    schema: ref('BatchResult'),
    example: {
      results: [
        { task_id: '019c0f3e-7b2a-7c31-9d54-0a1b2c3d4e5f', status: 'queued' },
        { error: { code: 'DROPLET_NOT_FOUND', message: "Droplet 'billing' not found", details: null } },
      ],
      ...{ accepted: 1, rejected: 1 },
    },
  },
  errors: ['OVERLOADED', 'STORAGE_UNAVAILABLE'],
};
