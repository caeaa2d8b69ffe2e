import { isFinal, replyOf, type SubmitTask, type TaskResult, type TaskStatus } from '../client/entry.js';
import { durationText } from './duration.js';
import { EXIT, type ExitCode } from './exit.codes.js';
import { indented, memberText } from './json.pieces.js';
import type { Output } from './output.js';
import type { Paint } from './paint.js';
import { plain, plainLines } from './plain.text.js';

/** What scripts get for where a task stands. @param isReceipt nobody asked for an outcome */
export function outcomeCode(status: TaskStatus, isReceipt = false): ExitCode {
  if (status === 'success') return EXIT.done;
  if (isFinal(status)) return EXIT.taskFailed;
  return isReceipt ? EXIT.done : EXIT.notNow;
}

/** The answer to a submitted task for people. */
export function resultText(result: TaskResult, { droplet_name, method, path }: SubmitTask, { paint }: Output): string {
  const { status, attempts, duration_ms, response_status, task_id, recorded } = result;
  const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  const how = isFinal(status)
    ? `${response_status ?? 'no answer'} after ${tries}, ${durationText(duration_ms ?? 0)}`
    : `follow it with 'orchestrator watch ${task_id}'`;
  const lines = [
    `${paint.status(status)}  ${plain(`${droplet_name} ${method ?? 'GET'} ${path}`)}  ${how}  ${paint.faint(task_id)}`,
  ];
  if (replyOf(result)?.headers.has('idempotency-replayed'))
    lines.push(paint.faint('the outcome of an earlier request with this key'));
  if (!recorded) lines.push(paint.bad('the store failed after the call: this answer is all there is'));
  return [
    ...lines,
    ...errorLines(result.error),
    ...bodyLines(result),
    ...(recorded ? againLines(result.task_id, status, paint) : []),
  ].join('\n');
}

/** How a task that did not succeed is run again. */
export const againLines = (id: string, status: TaskStatus, paint: Paint): string[] =>
  isFinal(status) && status !== 'success' ? [paint.faint(`run it again with 'orchestrator retry ${id}'`)] : [];

/** Why a task did not succeed, and what a person can do. */
export function errorLines(error: TaskResult['error']): string[] {
  if (!error) return [];
  const { effect, stopped_by, reason, droplet_status } = error.details;
  const facts = [
    ...(stopped_by ? [`stopped by ${plain(stopped_by)}`] : []),
    ...(effect === 'unknown' ? ['it may have taken effect'] : ['it took no effect']),
    ...[reason, droplet_status && `the droplet is ${droplet_status}`]
      .filter((text) => text !== undefined && text !== '')
      .map(plain),
  ];
  return [`${plain(error.code)}: ${plain(error.message)} (${facts.join(', ')})`];
}

/** What the droplet answered, with its numbers as they were. */
export function bodyLines(answer: object): string[] {
  const body = memberText(replyOf(answer)?.text ?? '{}', 'response_body');
  return body === undefined || body === 'null' ? [] : [plainLines(indented(body))];
}
