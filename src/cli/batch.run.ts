import { OrchestratorError, type OrchestratorClient } from '../client/entry.js';
import { inBatches, readTasks, type FileTask } from './batch.file.js';
import { follow, type LineResult } from './batch.wait.js';
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

/** Hands over all tasks of a file, and tells of every line. */
export async function submitFile(session: Session, file: string, { wait, fromLine = 1 }: FileOptions): Promise<ExitCode> {
  const tasks = readTasks(await readSource(file, session.terminal), fromLine);
  const client = session.client();
  const isReceipt = wait === undefined;
  const results: LineResult[] = [];
  try {
    await handOver(session, client, tasks, async (known) => {
      results.push(...known);
      if (isReceipt) await tell(session, known);
    });
    if (!isReceipt) await follow(session, client, results, wait === true ? Infinity : wait);
  } finally {
    // Also when something stopped it: what was accepted runs, and nobody else knows the ids.
    try {
      if (!isReceipt) await tell(session, results);
    } finally {
      if (results.length > 0) sumUp(session, results);
    }
  }
  return results.reduce<ExitCode>((worst, result) => worse(worst, codeOf(result, isReceipt)), EXIT.done);
}

const worse = (one: ExitCode, other: ExitCode): ExitCode => (one > other ? one : other);

const codeOf = (result: LineResult, isReceipt: boolean): ExitCode =>
  'error' in result ? EXIT.refused : outcomeCode(result.status, isReceipt);

/** Sends batch after batch. A part that was lost on the way is not sent again: nobody knows whether it arrived. */
async function handOver(
  session: Session,
  client: OrchestratorClient,
  tasks: readonly FileTask[],
  onKnown: (results: readonly LineResult[]) => Promise<void>,
): Promise<void> {
  const bar = await progressOn(session.terminal.stderr, 'handing over', tasks.length);
  try {
    const batches = inBatches(tasks);
    for (const [index, batch] of batches.entries()) {
      if (session.signal.aborted) goOn(session, batch);
      session.signal.throwIfAborted();
      const texts = batch.map(({ task }) => task);
      const { results } = await client
        .batch(texts, { signal: session.signal })
        .catch((error: unknown) => stopped(error, session, batch));
      const known = results.map((result, index) => ({ line: batch[index]?.line ?? 0, ...result }));
      bar.advance(batch.length);
      await onKnown(known).catch((error: unknown) => {
        goOn(session, batches[index + 1]);
        throw error;
      });
    }
  } finally {
    bar.end();
  }
}

/** Says how far it came, for the rest of the file. */
function stopped(error: unknown, session: Session, batch: readonly FileTask[]): never {
  const isRefused = error instanceof OrchestratorError && !error.mayHaveArrived;
  if (isRefused) goOn(session, batch);
  else
    session.output.note(
      `Whether lines ${batch[0]?.line} to ${batch.at(-1)?.line} arrived is not known: see 'orchestrator tasks'`,
    );
  throw error;
}

/** Says from where the rest of the file is to be handed over. */
function goOn({ output }: Session, rest: readonly FileTask[] | undefined): void {
  const line = rest?.[0]?.line ?? 1;
  if (line > 1) output.note(`Everything before line ${line} was handed over: go on with --from-line ${line}`);
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
  if (counts.has('refused')) output.note('Put the refused lines right, and submit them in a file of their own');
}
