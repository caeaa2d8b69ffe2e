import type { ErrorCode } from '../common/errors.js';
import { anyObject, list, nullable, object, oneOf, ref, string, type Schema } from './schema.js';

/** What is said of an error code. */
export interface ErrorText {
  readonly when: string;
  /** An example of its message. */
  readonly message: string;
  /** The schema of its details; none means that they are always null. */
  readonly details?: Schema;
  readonly example?: Readonly<Record<string, unknown>>;
  readonly headers?: readonly string[];
}

const droplet = string('The name that was asked for');

/** Total: a new code does not compile until something is said of it. */
export const ERROR_TEXTS: Readonly<Record<ErrorCode, ErrorText>> = {
  INVALID_REQUEST: {
    when: 'Malformed JSON or URL, or a field that is wrong. 408, 414 and 431 where HTTP asks for them.',
    message: 'path: must begin with a single /',
    details: object({ errors: list(ref('FieldError'), { description: 'Each field that is wrong', minItems: 1 }) }),
    example: { errors: [{ field: 'path', message: 'must begin with a single /' }] },
  },
  UNSUPPORTED_MEDIA_TYPE: {
    when: 'The body is neither `application/json` nor `application/*+json`.',
    message: 'The body must be JSON: application/json or application/*+json',
  },
  DROPLET_NOT_FOUND: {
    when: 'The Registry lists no such droplet. 404 where the droplet is the resource itself, 400 where it is a field.',
    message: "Droplet 'billing' not found",
    details: object({
      requested_droplet: droplet,
      available_droplets: list(string('A name'), { description: 'What there is', maxItems: 100 }),
    }),
    example: { requested_droplet: 'billing', available_droplets: ['orchestrator', 'mailer'] },
  },
  TASK_NOT_FOUND: {
    when: 'There is no such task, or it is somebody else’s.',
    message: "Task '019c0f3e-7b2a-7c31-9d54-0a1b2c3d4e5f' not found",
  },
  NOT_FOUND: { when: 'There is no such path.', message: 'There is no /taskz' },
  METHOD_NOT_ALLOWED: {
    when: 'The path has other methods; `Allow` names them.',
    message: 'PUT is not allowed here',
    headers: ['Allow'],
  },
  PAYLOAD_TOO_LARGE: { when: 'The body is over `BODY_LIMIT`; a batch may have 16 times that.', message: 'The body is too large' },
  UNAUTHORIZED: {
    when: 'No key or token, or one that is not known.',
    message: 'A valid key or token is needed',
    headers: ['WWW-Authenticate'],
  },
  FORBIDDEN: {
    when: 'The caller is known and may not: a scope is missing, or the droplet is not among its own.',
    message: 'The scope tasks:write is needed',
  },
  RATE_LIMITED: {
    when: 'The caller sends more requests, or has more in flight, than its key may.',
    message: 'This caller sends more requests a second than it may',
    headers: ['Retry-After'],
  },
  CONFLICT: {
    when: 'The state of things does not allow it.',
    message: 'The task is success: it cannot be cancelled any more',
    details: nullable(
      anyObject(
        '`task_id` for an Idempotency-Key whose first request still runs, `registry_url` where droplets register elsewhere',
      ),
    ),
    headers: ['Retry-After'],
  },
  IDEMPOTENCY_MISMATCH: {
    when: 'The Idempotency-Key was used for another request.',
    message: 'The Idempotency-Key was used for another request',
  },
  OVERLOADED: {
    when: 'The queue, the line before the droplet, or the memory for answers is full. Nothing was sent.',
    message: "The line before droplet 'billing' is full",
    headers: ['Retry-After'],
  },
  CIRCUIT_OPEN: {
    when: 'The droplet keeps failing, or an operator has paused it. Nothing was sent.',
    message: "Droplet 'billing' keeps failing; it is not called for a while",
    details: object({ droplet: string('Its name'), reason: oneOf(['breaker', 'paused'], 'Who holds its traffic') }),
    example: { droplet: 'billing', reason: 'breaker' },
    headers: ['Retry-After'],
  },
  REGISTRY_ERROR: {
    when: 'The Registry cannot be reached and no list was ever had.',
    message: 'The Registry cannot be reached and no droplet list was ever had',
  },
  STORAGE_UNAVAILABLE: {
    when: 'The store cannot be written. The request was not accepted.',
    message: 'The task store cannot be written; the task was not accepted',
    headers: ['Retry-After'],
  },
  NOT_READY: {
    when: 'The probe fails; `details` has what fails.',
    message: 'Not ready: storage',
    details: anyObject('What fails, by name'),
    example: { storage: { status: 'down', message: 'The store cannot be written' } },
  },
  INTERNAL_ERROR: { when: 'Anything else: a fault of ours. The log has it under the request id.', message: 'Internal error' },
};
