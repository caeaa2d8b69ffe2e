import { OrchestratorError, type TaskRecord } from '../client/entry.js';
import { EXIT, type ExitCode } from './exit.codes.js';
import { explain } from './failure.text.js';
import { plain } from './plain.text.js';
import type { Session } from './session.js';

/** What is done to each of several tasks. */
interface Errand {
  readonly command: string;
  readonly work: (id: string) => Promise<TaskRecord>;
}

/** How many of the tasks were begun with, of how many it is known what came of it, and whether anybody still reads it. */
interface Tally {
  begun: number;
  known: number;
  isOutputClosed: boolean;
}

/** Does one thing to each of several tasks, whatever becomes of the others. @returns the code of the worst */
export async function forEachTask(session: Session, ids: readonly string[], errand: Errand): Promise<ExitCode> {
  const { signal, terminal } = session;
  const tally: Tally = { begun: 0, known: 0, isOutputClosed: false };
  const tellRest = (): void => noteRest(session, ids, tally, errand);
  const onClosed = (): void => {
    tally.isOutputClosed = true;
    tellRest();
  };
  // Before the program's own listener, which ends the process.
  terminal.stdout.prependOnceListener('error', onClosed);
  try {
    let worst: ExitCode = EXIT.done;
    for (const id of ids) {
      signal.throwIfAborted();
      if (tally.isOutputClosed) return EXIT.outputClosed;
      tally.begun++;
      const result = await errand.work(id).catch((error: unknown) => ownRefusal(error, ids));
      tally.known++;
      const code = await tell(session, id, result, errand);
      worst = code > worst ? code : worst;
    }
    return worst;
  } catch (error) {
    if (error instanceof OrchestratorError && !error.mayHaveArrived) tally.begun = tally.known;
    tellRest();
    throw error;
  } finally {
    terminal.stdout.off('error', onClosed);
  }
}

/** Why one of several tasks was refused. @throws what would stop every other too */
function ownRefusal(error: unknown, ids: readonly string[]): OrchestratorError {
  if (!(error instanceof OrchestratorError) || ids.length === 1 || error.code === 'UNREACHABLE') throw error;
  return error;
}

async function tell(
  { output, url, hasKey }: Session,
  id: string,
  result: TaskRecord | OrchestratorError,
  { command }: Errand,
): Promise<ExitCode> {
  if (result instanceof OrchestratorError) {
    const { message, advice, code } = explain(result, { url, hasKey, command });
    output.note(`${output.notePaint.bad('error:')} ${plain(id)}: ${message}\n  ${advice}`);
    return code;
  }
  const { status, droplet_name, method, path } = result;
  await output.show(
    result,
    () => `${output.paint.status(status)}  ${plain(droplet_name)} ${plain(`${method} ${path}`)}  ${result.id}`,
  );
  return EXIT.done;
}

/** Says what is left, where something stopped it on the way. */
function noteRest({ output }: Session, ids: readonly string[], { begun, known }: Tally, { command }: Errand): void {
  const [open, rest] = [ids.slice(known, begun), ids.slice(begun)];
  if (ids.length === 1) return;
  for (const id of open.map(plain)) output.note(`Whether ${id} was done is not known: see 'orchestrator task ${id}'`);
  if (rest.length > 0) output.note(`Not done: go on with 'orchestrator ${command} ${rest.map(plain).join(' ')}'`);
}
