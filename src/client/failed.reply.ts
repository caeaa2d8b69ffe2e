import type { Failure } from './api.types.js';
import { OrchestratorError } from './orchestrator.error.js';
import type { Reply } from './reply.js';

/** The error that an answer stands for, whoever gave it: the orchestrator, or a proxy before it. */
export function failedReply({ status, headers, text }: Reply): OrchestratorError {
  const facts = { status, requestId: headers.get('x-request-id'), retryAfter: secondsOf(headers.get('retry-after')) };
  const failure = failureIn(text);
  return failure
    ? new OrchestratorError(failure.message, { ...facts, code: failure.code, details: failure.details })
    : new OrchestratorError(`Answered ${status}, and not as an orchestrator does`, { ...facts, code: 'UNEXPECTED_REPLY' });
}

/** `{error: {code, message, details}}`, as the orchestrator writes every error. */
function failureIn(text: string): Failure | null {
  try {
    const { error } = JSON.parse(text) as { error?: Partial<Failure> };
    return typeof error?.code === 'string' && typeof error.message === 'string'
      ? { code: error.code, message: error.message, details: error.details ?? null }
      : null;
  } catch {
    return null;
  }
}

/** `Retry-After` in seconds: the orchestrator writes it so; a proxy may give a date (RFC 9110 §10.2.3). */
function secondsOf(header: string | null): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header)) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}
