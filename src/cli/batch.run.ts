import { OrchestratorError, type BatchResult, type OrchestratorClient } from '../client/entry.js';
import { inBatches, readTasks, type FileTask } from './batch.file.js';
import { concurrently } from './concurrently.js';
import { EXIT, type ExitCode } from './exit.codes.js';
import { readSource } from './input.js';
import { outcomeCode } from './outcome.js';
import { plain } from './plain.text.js';
import { progressOn } from './progress.js';
import type { Session } from './session.js';

export interface FileOptions {
  readonly wait?: number | true;
  readonly fromLine?: number;
}

/** What became of one line. */
type LineResult = { readonly line: number } & BatchResult['results'][number];

const WAITING_AT_ONCE = 16;

/** Hands over all tasks of a file, and tells of every line. */
export async function submitFile(session: Session, file: string, { wait, fromLine = 1 }: FileOptions): Promise<ExitCode> {
  const tasks = readTasks(await readSource(file, session.terminal.stdin), fromLine);
  const client = session.client();
  const isReceipt = wait === undefined;
  let results = await handOver(session, client, tasks, (known) => (isReceipt ? tell(session, known) : Promise.resolve()));
  if (!isReceipt) {
    results = await outcomes(session, client, results, wait === true ? Infinity : wait);
    await tell(session, results);
  }
  sumUp(session, results);
  return Math.max(...results.map((result) => codeOf(result, isReceipt))) as ExitCode;
}

const codeOf = (result: LineResult, isReceipt: boolean): ExitCode =>
  'error' in result ? EXIT.refused : outcomeCode(result.status, isReceipt);

/** Sends batch after batch. A part that was lost on the way is not sent again: nobody knows whether it arrived. */
async function handOver(
  session: Session,
  client: OrchestratorClient,
  tasks: readonly FileTask[],
  onKnown: (results: readonly LineResult[]) => Promise<void>,
): Promise<LineResult[]> {
  const bar = await progressOn(session.terminal.stderr, 'handing over', tasks.length);
  const all: LineResult[] = [];
  try {
    for (const batch of inBatches(tasks)) {
      const texts = batch.map(({ task }) => task);
      const { results } = await client
        .batch(texts, { signal: session.signal })
        .catch((error: unknown) => stopped(error, session, batch));
      const known = results.map((result, index) => ({ line: batch[index]?.line ?? 0, ...result }));
      all.push(...known);
      bar.advance(batch.length);
      await onKnown(known);
    }
    return all;
  } finally {
    bar.end();
  }
}

/** Says how far it came, for the rest of the file. */
function stopped(error: unknown, { output }: Session, batch: readonly FileTask[]): never {
  const [first = 1, last = 1] = [batch[0]?.line, batch.at(-1)?.line];
  const isRefused = error instanceof OrchestratorError && !error.mayHaveArrived;
  if (!isRefused) output.note(`Whether lines ${first} to ${last} arrived is not known: see 'orchestrator tasks'`);
  else if (first > 1) output.note(`Everything before line ${first} was handed over: go on with --from-line ${first}`);
  throw error;
}

/** The same with where each task stands when it is final, or the wait is over. */
async function outcomes(
  { terminal, signal }: Session,
  client: OrchestratorClient,
  results: readonly LineResult[],
  waitMs: number,
): Promise<LineResult[]> {
  const end = performance.now() + waitMs;
  const bar = await progressOn(terminal.stderr, 'running', results.length);
  const known = [...results];
  try {
    await concurrently(results.entries(), WAITING_AT_ONCE, async ([index, result]) => {
      if ('task_id' in result) {
        const { status } = await client.wait(result.task_id, { signal, waitMs: Math.max(0, end - performance.now()) });
        known[index] = { ...result, status };
      }
      bar.advance(1);
    });
    return known;
  } finally {
    bar.end();
  }
}

/** A line a task for programs; for people those that did not go well. */
async function tell({ output }: Session, results: readonly LineResult[]): Promise<void> {
  for (const result of results) {
    if (output.isJson) await output.line(JSON.stringify(result));
    else if ('error' in result) {
      const { code, message } = result.error;
      await output.line(`line ${result.line}: ${output.paint.bad('refused')}  ${plain(message)} (${plain(code)})`);
    } else if (!['success', 'queued', 'running'].includes(result.status))
      await output.line(`line ${result.line}: ${output.paint.status(result.status)}  orchestrator task ${result.task_id}`);
  }
}

/** On stderr: stdout has a line a task, and no other. */
function sumUp({ output }: Session, results: readonly LineResult[]): void {
  const counts = new Map<string, number>();
  for (const result of results) {
    const word = 'error' in result ? 'refused' : result.status;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  output.note(`${results.length} tasks: ${[...counts].map(([word, count]) => `${count} ${word}`).join(', ')}`);
}
