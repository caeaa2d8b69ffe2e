/** What a script can go by. */
export const EXIT = {
  done: 0,
  taskFailed: 1,
  wrongUsage: 2,
  unreachable: 3,
  refused: 4,
  notNow: 5,
  broken: 6,
  oldNode: 7,
  interrupted: 130,
  outputClosed: 141,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The part of the help that says so. */
export const EXIT_HELP = `
Exit codes:
  0    done; for a task: it succeeded, or was accepted
  1    a task ended as error, timeout or cancelled
  2    wrong usage: nothing was sent
  3    no answer: nothing listens there, the connection was lost, or it took too long
  4    refused: an invalid request, an unknown droplet or task, a conflict, a missing key or scope
  5    not now: too busy, paused, or the breaker is open; or still under way when --wait was over
  6    the orchestrator failed, what answered is none, or the output cannot be written
  7    serve: this Node is too old
  130  ended by Ctrl-C
  141  submit, cancel, retry, bench: whoever read the output closed it before the end`;
