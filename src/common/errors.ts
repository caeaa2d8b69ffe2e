/** The codes of contract §1 that this version can answer with. */
export type ErrorCode =
  | 'INVALID_REQUEST'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'DROPLET_NOT_FOUND'
  | 'TASK_NOT_FOUND'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'PAYLOAD_TOO_LARGE'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'RATE_LIMITED'
  | 'CONFLICT'
  | 'IDEMPOTENCY_MISMATCH'
  | 'OVERLOADED'
  | 'CIRCUIT_OPEN'
  | 'REGISTRY_ERROR'
  | 'STORAGE_UNAVAILABLE'
  | 'NOT_READY'
  | 'INTERNAL_ERROR';

/** What is wrong with one field of a request; never holds the value. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** An error that a caller is told of: a code, a sentence, and details. It knows no HTTP. */
export abstract class OrchestratorError extends Error {
  abstract readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>> | null = null;
  /** Seconds after which the caller may try again. */
  readonly retryAfterSeconds: number | null = null;

  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

export class InvalidRequestError extends OrchestratorError {
  readonly code = 'INVALID_REQUEST';
  override readonly details: { errors: readonly FieldError[] };

  constructor(errors: readonly FieldError[]) {
    super(errors.map(({ field, message }) => `${field}: ${message}`).join('; '));
    this.details = { errors };
  }

  static of(field: string, message: string): InvalidRequestError {
    return new InvalidRequestError([{ field, message }]);
  }
}

/** The most names that DROPLET_NOT_FOUND lists. */
const LISTED_DROPLETS = 100;

export class DropletNotFoundError extends OrchestratorError {
  readonly code = 'DROPLET_NOT_FOUND';
  override readonly details: { requested_droplet: string; available_droplets: readonly string[] };

  constructor(requested: string, available: readonly string[]) {
    super(`Droplet '${requested}' not found`);
    this.details = { requested_droplet: requested, available_droplets: available.slice(0, LISTED_DROPLETS) };
  }
}

export class TaskNotFoundError extends OrchestratorError {
  readonly code = 'TASK_NOT_FOUND';

  constructor(id: string) {
    super(`Task '${id}' not found`);
  }
}

/** Nobody knows who asks. */
export class UnauthorizedError extends OrchestratorError {
  readonly code = 'UNAUTHORIZED';

  constructor() {
    super('A valid key or token is needed');
  }
}

/** Who asks is known, and may not. */
export class ForbiddenError extends OrchestratorError {
  readonly code = 'FORBIDDEN';

  static scope(scope: string): ForbiddenError {
    return new ForbiddenError(`The scope ${scope} is needed`);
  }

  static droplet(): ForbiddenError {
    return new ForbiddenError('The droplet is not among those that this caller may call');
  }
}

export class RateLimitedError extends OrchestratorError {
  readonly code = 'RATE_LIMITED';

  constructor(
    message: string,
    override readonly retryAfterSeconds: number,
  ) {
    super(message);
  }
}

export class ConflictError extends OrchestratorError {
  readonly code = 'CONFLICT';

  constructor(
    message: string,
    override readonly details: Readonly<Record<string, unknown>> | null = null,
    override readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
  }

  /** The first request with an Idempotency-Key has no outcome yet. */
  static stillRunning(taskId: string): ConflictError {
    return new ConflictError('The first request with this Idempotency-Key still runs', { task_id: taskId }, 1);
  }
}

export class IdempotencyMismatchError extends OrchestratorError {
  readonly code = 'IDEMPOTENCY_MISMATCH';

  constructor() {
    super('The Idempotency-Key was used for another request');
  }
}

export class OverloadedError extends OrchestratorError {
  readonly code = 'OVERLOADED';
  override readonly retryAfterSeconds = 1;
}

/** No call passes to the droplet now: its breaker is open, or an operator has paused it. */
export class CircuitOpenError extends OrchestratorError {
  readonly code = 'CIRCUIT_OPEN';
  override readonly details: { droplet: string; reason: 'breaker' | 'paused' };
  override readonly retryAfterSeconds: number;

  constructor(
    droplet: string,
    reason: 'breaker' | 'paused',
    readonly retryAfterMs: number,
  ) {
    super(
      reason === 'paused' ? `Droplet '${droplet}' is paused` : `Droplet '${droplet}' keeps failing; it is not called for a while`,
    );
    this.details = { droplet, reason };
    this.retryAfterSeconds = Math.ceil(retryAfterMs / 1000);
  }
}

export class RegistryUnavailableError extends OrchestratorError {
  readonly code = 'REGISTRY_ERROR';

  constructor() {
    super('The Registry cannot be reached and no droplet list was ever had');
  }
}

export class StorageUnavailableError extends OrchestratorError {
  readonly code = 'STORAGE_UNAVAILABLE';
  override readonly retryAfterSeconds = 1;

  constructor(override readonly cause?: unknown) {
    super('The task store cannot be written; the task was not accepted');
  }
}
