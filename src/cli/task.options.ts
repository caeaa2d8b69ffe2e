import { InvalidArgumentError, type Command } from 'commander';
import type { JsonText, SubmitTask } from '../client/entry.js';
import { durationMs } from './duration.js';
import { integerBetween } from './numbers.js';

type Words = Readonly<Record<string, string>>;

/** What a task may be given beside its droplet, method and path. */
export interface TaskOptions {
  readonly header?: Words;
  readonly meta?: Words;
  readonly delay?: number;
  readonly runAt?: string;
  readonly priority?: number;
  readonly timeout?: number;
  readonly attemptTimeout?: number;
  readonly maxAttempts?: number;
  readonly retryUnsafe: boolean;
  readonly callback?: string;
}

export const withTaskOptions = (command: Command): Command =>
  command
    .option('--header <"Name: value">', 'a header for the droplet; may be repeated', addHeader)
    .option('--meta <key=value>', 'a word of your own, to find the task by; may be repeated', addMeta)
    .option('--delay <time>', 'run it after that long (2s, 5m, 1h); makes it asynchronous', durationMs)
    .option('--run-at <time>', 'run it then (2030-01-31T12:00:00Z); makes it asynchronous')
    .option('--priority <0-9>', 'of asynchronous tasks: 9 goes first, 5 unless said', integerBetween(0, 9))
    .option('--timeout <time>', 'for the whole task, all attempts and waits', durationMs)
    .option('--attempt-timeout <time>', 'for one attempt', durationMs)
    .option('--max-attempts <n>', 'attempts in all, 1 to 50', integerBetween(1, 50))
    .option('--no-retry-unsafe', 'do not repeat a POST or PATCH that may have taken effect')
    .option('--callback <url>', 'who is told of the end, by https');

/** The body of a request, without what was not said. */
export function taskOf(args: readonly string[], payload: JsonText | undefined, options: TaskOptions): SubmitTask {
  const [droplet_name = '', method = '', path = ''] = args;
  const { delay, runAt, priority, timeout, attemptTimeout, maxAttempts, retryUnsafe, callback, header, meta } = options;
  return {
    ...{ droplet_name, method: method.toUpperCase() as NonNullable<SubmitTask['method']>, path, payload, headers: header, meta },
    ...{ delay_ms: delay, run_at: runAt, priority, timeout_ms: timeout, attempt_timeout_ms: attemptTimeout },
    ...{ max_attempts: maxAttempts, retry_unsafe: retryUnsafe ? undefined : false, callback_url: callback },
  };
}

function addHeader(text: string, before: Words = {}): Words {
  const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError(`Write it as 'Name: value'.`);
  return { ...before, [name]: value };
}

export function addMeta(text: string, before: Words = {}): Words {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Write it as key=value.');
  return { ...before, [name]: value };
}
