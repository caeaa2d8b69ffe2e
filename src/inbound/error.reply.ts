import type { OrchestratorError, ErrorCode } from '../common/errors.js';
import { iso } from '../common/time.js';

/** The HTTP status of every code; contract §1. Total: a new code does not compile until it stands here. */
export const STATUS: Readonly<Record<ErrorCode, number>> = {
  INVALID_REQUEST: 400,
  UNSUPPORTED_MEDIA_TYPE: 415,
  DROPLET_NOT_FOUND: 400,
  TASK_NOT_FOUND: 404,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  PAYLOAD_TOO_LARGE: 413,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  CONFLICT: 409,
  IDEMPOTENCY_MISMATCH: 422,
  OVERLOADED: 503,
  CIRCUIT_OPEN: 503,
  REGISTRY_ERROR: 503,
  STORAGE_UNAVAILABLE: 503,
  NOT_READY: 503,
  INTERNAL_ERROR: 500,
};

/** How a caller says who it is (RFC 6750 §3). */
const CHALLENGE = 'Bearer realm="orchestrator"';

/** An error as it goes out. */
export interface ErrorReply {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>> | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** A reply for an error that HTTP itself raised; `status` where HTTP asks for another than the code's own. */
export function errorReply(code: ErrorCode, message: string, more: Partial<ErrorReply> = {}): ErrorReply {
  return { status: STATUS[code], code, message, details: null, headers: {}, ...more };
}

export function replyOf(error: OrchestratorError): ErrorReply {
  const { code, message, details, retryAfterSeconds } = error;
  const headers = {
    ...(retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) }),
    ...(code === 'UNAUTHORIZED' ? { 'www-authenticate': CHALLENGE } : {}),
  };
  return errorReply(code, message, { details, headers });
}

/** The UDC shape; `detail` repeats the pair, because that is where v1.1.0 clients look. */
export function errorBody({ code, message, details }: ErrorReply, now: number): object {
  const pair = { status: 'error', error: { code, message, details } };
  return { ...pair, timestamp: iso(now), detail: pair };
}
