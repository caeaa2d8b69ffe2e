import { Command } from 'commander';
import type { TaskResult } from '../client/entry.js';
import type { Attach } from './attach.js';
import { submitFile, type FileOptions } from './batch.run.js';
import { durationMs } from './duration.js';
import { readPayload } from './input.js';
import { outcomeCode, resultText } from './outcome.js';
import type { Session } from './session.js';
import { taskOf, withTaskOptions, type TaskOptions } from './task.options.js';
import { UsageError } from './usage.error.js';
import type { ExitCode } from './exit.codes.js';
import { integerBetween } from './numbers.js';

interface SubmitOptions extends TaskOptions, FileOptions {
  readonly data?: string;
  readonly async?: true;
  readonly key?: string | true;
  readonly file?: string;
}

const HELP = `
Without --async it waits for the outcome; with it, the task is stored, and runs also when you and the server go away.
Exit code 0 says that the task succeeded (or, with --async, that it was accepted), 1 that it ended otherwise.

Examples:
  orchestrator submit flaky GET /invoice
  orchestrator submit flaky POST /invoice --data '{"order":7}' --meta order=7
  orchestrator submit flaky POST /invoice --data @order.json --async --wait 30s --key order-7
  orchestrator submit flaky GET /invoice --delay 5m
  orchestrator submit --file tasks.jsonl --wait

A file has a task a line, as the API takes it: {"droplet_name":"flaky","method":"GET","path":"/invoice"}
If one line is bad, nothing is sent. Each accepted or refused line is answered by one line, in their order.`;

/** Hands over one task, or a file of them. */
export const submitCommand = (attach: Attach): Command =>
  attach<SubmitOptions>(
    withTaskOptions(
      new Command('submit')
        .summary('run a task, or hand it over to be run later')
        .description('Runs a task: one request to one droplet, with retries.')
        .usage('[options] DROPLET METHOD PATH\n       orchestrator submit [options] --file FILE')
        .argument('[droplet]', 'the name of the droplet')
        .argument('[method]', 'GET, POST, PUT, DELETE or PATCH')
        .argument('[path]', 'the path, with its query')
        .option('--data <json>', 'the payload: JSON, @FILE, or - for stdin')
        .option('--async', 'give the receipt, and run it afterwards')
        .option('--wait [time]', 'asynchronous, but wait for the outcome, so long at most (30s, 5m)', durationMs)
        .option('--key [key]', 'an Idempotency-Key: sent twice, done once; without a value one is made up')
        .option('--file <file>', 'many tasks, a JSON line each; - for stdin')
        .option('--from-line <n>', 'begin at that line of the file', integerBetween(1, 1e9)),
    ).addHelpText('after', HELP),
    (session, args, options) =>
      options.file === undefined ? submitOne(session, args, options) : submitMany(session, args, options),
  );

async function submitOne(session: Session, args: readonly string[], options: SubmitOptions): Promise<ExitCode> {
  if (args.length !== 3) throw new UsageError('Give a droplet, a method and a path: orchestrator submit flaky GET /invoice');
  const { output, signal } = session;
  const payload = options.data === undefined ? undefined : await readPayload(options.data, session.terminal.stdin);
  const task = taskOf(args, payload, options);
  const limits = { signal, idempotencyKey: options.key };
  const { wait } = options;
  const isLater = options.async === true || wait !== undefined || options.delay !== undefined || options.runAt !== undefined;
  const waitMs = wait === true ? Infinity : wait;
  const client = session.client();
  const result: TaskResult = await (isLater ? client.enqueue(task, { ...limits, waitMs }) : client.submit(task, limits));
  await output.show(result, () => resultText(result, task, output));
  return outcomeCode(result.status, isLater && wait === undefined);
}

function submitMany(session: Session, args: readonly string[], options: SubmitOptions): Promise<ExitCode> {
  const others = ['data', 'key', 'header', 'meta', 'delay', 'runAt', 'priority', 'timeout', 'callback'] as const;
  if (args.length > 0 || others.some((name) => options[name] !== undefined))
    throw new UsageError('With --file each line says all of its task: leave out the other arguments');
  return submitFile(session, options.file ?? '-', options);
}
