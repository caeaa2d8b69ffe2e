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

/** Does one thing to each of several tasks, whatever becomes of the others. @returns the code of the worst */
export async function forEachTask(session: Session, ids: readonly string[], errand: Errand): Promise<ExitCode> {
  let worst: ExitCode = EXIT.done;
  let known = 0;
  let isUnderWay = false;
  try {
    for (const id of ids) {
      session.signal.throwIfAborted();
      isUnderWay = true;
      const result = await errand.work(id).catch((error: unknown) => ownRefusal(error, ids));
      isUnderWay = false;
      known++;
      const code = await tell(session, id, result, errand);
      worst = code > worst ? code : worst;
    }
    return worst;
  } catch (error) {
    const mayHaveArrived = isUnderWay && !(error instanceof OrchestratorError && !error.mayHaveArrived);
    if (ids.length > 1) noteUndone(session, ids.slice(known), mayHaveArrived, errand);
    throw error;
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
function noteUndone({ output }: Session, undone: readonly string[], mayFirstBeDone: boolean, { command }: Errand): void {
  const [first = '', ...others] = undone.map(plain);
  if (mayFirstBeDone) output.note(`Whether ${first} was done is not known: see 'orchestrator task ${first}'`);
  const rest = mayFirstBeDone ? others : undone.map(plain);
  if (rest.length > 0) output.note(`Not done: go on with 'orchestrator ${command} ${rest.join(' ')}'`);
}
