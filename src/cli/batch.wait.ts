import { onAbort } from '../client/on.abort.js';
import { pause } from '../client/deadline.js';
import { OrchestratorError, type BatchResult, type OrchestratorClient, type TaskStatus } from '../client/entry.js';
import { concurrently } from './concurrently.js';
import { plain } from './plain.text.js';
import { progressOn } from './progress.js';
import type { Session } from './session.js';

/** What became of one line. */
export type LineResult = { readonly line: number } & BatchResult['results'][number];

/** How long to wait, and for whom. */
interface Patience {
  readonly client: OrchestratorClient;
  readonly signal: AbortSignal;
  /** Monotonic milliseconds. */
  readonly end: number;
}

const WAITING_AT_ONCE = 16;
const LOOK_AGAIN_MS = 1000;
const LEAST_PAUSE_MS = 50;

/** Puts where each task stands into the results, until all are final or the wait is over. What is known stays when it throws. */
export async function follow(session: Session, client: OrchestratorClient, results: LineResult[], waitMs: number): Promise<void> {
  const bar = await progressOn(session.terminal.stderr, 'running', results.length);
  const over = new AbortController();
  const unfollow = onAbort(session.signal, () => over.abort());
  const patience = { client, signal: over.signal, end: performance.now() + waitMs };
  try {
    await concurrently([...results].entries(), WAITING_AT_ONCE, async ([index, result]) => {
      if ('task_id' in result) {
        const status = await standing(result.task_id, patience).catch((error: unknown) => unread(error, session, result));
        results[index] = { ...result, status: status ?? result.status };
      }
      bar.advance(1);
    });
  } finally {
    // Nobody waits any more for those that are still being asked for.
    over.abort();
    unfollow();
    bar.end();
  }
}

/** Where a task stands in the end; null when it could not be asked for within the wait. A busy server is asked later. */
async function standing(id: string, { client, signal, end }: Patience): Promise<TaskStatus | null> {
  for (;;) {
    try {
      return (await client.wait(id, { signal, waitMs: Math.max(0, end - performance.now()) })).status;
    } catch (error) {
      if (!(error instanceof OrchestratorError) || (error.status !== 429 && error.status !== 503)) throw error;
      const left = end - performance.now();
      if (left <= 0) return null;
      const laterMs = error.retryAfter === null ? LOOK_AGAIN_MS : Math.max(LEAST_PAUSE_MS, error.retryAfter * 1000);
      await pause(Math.min(left, laterMs), signal);
    }
  }
}

/** One record that cannot be read, a purged one say, ends the wait for no other. @throws what would stop every other too */
function unread(error: unknown, { output }: Session, { line }: LineResult): null {
  const isOwn = error instanceof OrchestratorError && error.status !== null && error.status !== 401 && error.status !== 403;
  if (!isOwn) throw error;
  output.note(`line ${line}: how it ended is not known: ${plain(error.message)} (${plain(error.code)})`);
  return null;
}
