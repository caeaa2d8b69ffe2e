import { Command } from 'commander';
import { isFinal, type OrchestratorClient, type TaskEvent, type TaskRecord } from '../client/entry.js';
import type { Attach } from './attach.js';
import { durationText } from './duration.js';
import { EXIT, type ExitCode } from './exit.codes.js';
import { filterOf, withFilters, type FilterOptions } from './filter.options.js';
import { outcomeCode } from './outcome.js';
import { plain } from './plain.text.js';
import type { Session } from './session.js';

const HELP = `
Without an id it goes on until Ctrl-C (exit code 130). With one it ends with the task: 0 for success, 1 otherwise.
A connection that is lost is made again, and goes on where it was. As JSON, each change is one line.

Examples:
  orchestrator watch
  orchestrator watch --status error
  orchestrator watch 01a2087f-b6cb-763f-a7f0-1182ceb487e5`;

/** Tells of changes as they happen. */
export const watchCommand = (attach: Attach): Command =>
  attach<FilterOptions>(
    withFilters(
      new Command('watch')
        .summary('follow tasks as they change')
        .description('Tells of every change of a task as it happens.')
        .argument('[id]', 'only this task, until it is final'),
    ).addHelpText('after', HELP),
    (session, [id], options) => (id === undefined ? watchAll(session, options) : watchOne(session, id)),
  );

async function watchAll(session: Session, options: FilterOptions): Promise<ExitCode> {
  for await (const { task } of session.client().events(filterOf(options), { signal: session.signal })) await tell(session, task);
  return EXIT.interrupted;
}

/** Follows one task. What happened before the stream was open, or while it was lost, is seen in the record. */
async function watchOne(session: Session, id: string): Promise<ExitCode> {
  const client = session.client();
  const known = await client.task(id, { signal: session.signal });
  if (isFinal(known.status)) return lastWord(session, known);
  await tell(session, known);
  const over = new AbortController();
  const stop = (): void => over.abort();
  session.signal.addEventListener('abort', stop, { once: true });
  try {
    return await untilFinal(session, client, known, over);
  } finally {
    session.signal.removeEventListener('abort', stop);
  }
}

async function untilFinal(
  session: Session,
  client: OrchestratorClient,
  known: TaskRecord,
  over: AbortController,
): Promise<ExitCode> {
  let missed: TaskRecord | undefined;
  const look = async (): Promise<void> => {
    const record = await client.task(known.id, { signal: over.signal });
    if (!isFinal(record.status)) return;
    missed = record;
    over.abort();
  };
  // A look that fails is no matter: the stream itself tells, or fails.
  const onOpen = (): void => void look().catch(() => undefined);
  try {
    for await (const { task } of client.events({ dropletName: known.droplet_name }, { signal: over.signal, onOpen })) {
      if (task.id !== known.id) continue;
      await tell(session, task);
      if (isFinal(task.status)) return outcomeCode(task.status);
    }
  } catch (error) {
    if (!missed) throw error;
  }
  return missed ? lastWord(session, missed) : EXIT.interrupted;
}

async function lastWord(session: Session, task: TaskRecord): Promise<ExitCode> {
  await tell(session, task);
  return outcomeCode(task.status);
}

function tell({ output }: Session, task: TaskEvent): Promise<void> {
  const { paint } = output;
  const { status, droplet_name, method, path, response_status, error, attempts, duration_ms, id } = task;
  return output.show(task, () =>
    [
      ...[paint.faint(new Date().toISOString().slice(11, 19)), paint.status(status) + ' '.repeat(9 - status.length)],
      ...[plain(droplet_name), plain(`${method} ${path}`), response_status?.toString() ?? error?.code ?? '-'],
      ...[
        attempts === 1 ? '1 attempt' : `${attempts} attempts`,
        duration_ms === null ? '-' : durationText(duration_ms),
        paint.faint(id),
      ],
    ].join('  '),
  );
}
