import type { DropletChange } from '../registry/registration.dto.js';
import type { RetryTasks } from '../tasks/retry-tasks.dto.js';
import type { ListTasks } from '../tasks/list-tasks.dto.js';
import { CALLBACK_URL_LENGTH } from '../tasks/callback.url.js';
import type { SubmitTask } from '../tasks/submit-task.dto.js';
import type { Message, Send } from '../udc/message.dto.js';
import type { FieldText } from './request.schema.js';

type Texts<T, Without extends keyof T = never> = Readonly<Record<Exclude<keyof T, Without> & string, FieldText>>;

const FAILED = 'error, timeout or cancelled';
const MOMENT = 'epoch seconds or ISO 8601';

export const SUBMIT_TEXTS: Texts<SubmitTask> = {
  droplet_name: { description: 'The name of the droplet, without regard to case', examples: ['billing'] },
  method: { description: 'Upper case only' },
  path: {
    description:
      'Begins with one `/`; appended to the droplet’s endpoint. Refused, never repaired: a fragment, `\\`, `%00`, `%2f`, `%5c` before the query, and `.` or `..` as a segment.',
    examples: ['/invoices?draft=true'],
  },
  payload: { description: 'Any JSON value; sent as the JSON body, with its numbers as written, unless it is null' },
  meta: { description: 'Words of the caller’s own: stored with the task, and a filter of the list' },
  headers: {
    description:
      'Sent to the droplet: at most 32 and 8 KiB. Refused: the connection’s, Host, Cookie, Expect, Accept-Encoding, Proxy-*, X-Forwarded-*, X-Task-*, Idempotency-Key, X-Request-ID, traceparent, tracestate. `Authorization` is passed on by synchronous tasks only, and never stored.',
  },
  timeout_ms: { description: 'The deadline of the whole task with all attempts and waits; at most 600000 for a synchronous one' },
  attempt_timeout_ms: { description: 'The deadline of one attempt, its body included' },
  max_attempts: { description: 'Attempts in all' },
  retry_unsafe: { description: 'May a POST or PATCH be repeated when it is unknown whether it took effect; true unless said' },
  priority: { description: 'Of asynchronous tasks: 9 first, 5 unless said' },
  delay_ms: { description: 'Makes the task asynchronous: first due after this long' },
  run_at: { description: 'Makes the task asynchronous: first due then, ISO 8601', examples: ['2030-01-31T12:00:00Z'] },
  callback_url: {
    description: 'An https URL that is told of the end, signed; needs `CALLBACK_SECRET`',
    ...{ format: 'uri', maxLength: CALLBACK_URL_LENGTH },
  },
};

export const LIST_TEXTS: Texts<ListTasks> = {
  status: { description: 'Only tasks of this status; an unknown one gives an empty list' },
  droplet_name: { description: 'Only tasks of this droplet, without regard to case' },
  limit: { description: 'The most that a page holds' },
  created_after: { description: `Only tasks younger than this: ${MOMENT}`, type: ['string', 'number'] },
  created_before: { description: `Only tasks older than this: ${MOMENT}`, type: ['string', 'number'] },
  cursor: { description: '`next_cursor` of the page before' },
};

export const RETRY_TEXTS: Texts<RetryTasks> = {
  status: { description: `Which: ${FAILED}; error and timeout when it is not said` },
  droplet_name: { description: 'Only tasks of this droplet' },
  created_after: { description: `Only tasks younger than this: ${MOMENT}` },
  created_before: { description: `Only tasks older than this: ${MOMENT}` },
  limit: { description: 'The most that are run again; 1000 unless said' },
  rate_per_second: { description: 'How many become due a second; all at once unless said' },
};

export const DROPLET_TEXTS: Texts<DropletChange, 'name'> = {
  endpoint: { description: 'Where it is called: http or https, no user, query or fragment' },
  url: { description: 'Taken for `endpoint`' },
  steward: { description: 'Who looks after it' },
  status: { description: 'How it is; one that is not active is still called when named' },
  metadata: { description: 'Whatever it says of itself; `policy` in it holds its traffic policy' },
  version: { description: 'Its version' },
  proof: { description: 'Any JSON value' },
  cost_usd: { description: 'Whatever it says of itself' },
  yield_usd: { description: 'Whatever it says of itself' },
};

const TYPE = { description: 'What kind of message' };

export const MESSAGE_TEXTS: Texts<Message> = {
  trace_id: { description: 'Names the message' },
  source: { description: 'Who sends it' },
  target: { description: 'Whom it is for' },
  message_type: TYPE,
  payload: {
    description:
      'A command has `command`: `create_task` with `task_data` (the body of a task) or `cancel_task` with `task_id`. A query has `query`: `task_status` with `task_id`, `droplet_list` or `system_status`.',
  },
  timestamp: { description: 'When it was sent' },
};

export const SEND_TEXTS: Texts<Send> = {
  target: { description: 'The id or name of a droplet' },
  message_type: TYPE,
  payload: { description: 'What it says' },
  priority: { description: 'Passed on' },
  retry_count: { description: 'Attempts in all' },
};
