/** What was to be told could not be written to stdout. */
export class OutputError extends Error {
  /** Whether nobody reads any more, as after `| head`. */
  readonly isClosed: boolean;

  constructor(cause: NodeJS.ErrnoException) {
    super(`The output cannot be written: ${cause.message}`, { cause });
    this.isClosed = cause.code === 'EPIPE';
  }
}
