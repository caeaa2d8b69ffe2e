import { OrchestratorError, type TaskRecord } from '../client/entry.js';
import { EXIT, type ExitCode } from './exit.codes.js';
import { explain } from './failure.text.js';
import { plain } from './plain.text.js';
import type { Session } from './session.js';

/** Does one thing to each of several tasks, whatever becomes of the others. @returns the code of the worst */
export async function forEachTask(
  session: Session,
  ids: readonly string[],
  { command, work }: { command: string; work: (id: string) => Promise<TaskRecord> },
): Promise<ExitCode> {
  const { output, url, hasKey } = session;
  let worst: ExitCode = EXIT.done;
  for (const id of ids) {
    try {
      const task = await work(id);
      await output.show(
        task,
        () =>
          `${output.paint.status(task.status)}  ${plain(task.droplet_name)} ${plain(`${task.method} ${task.path}`)}  ${task.id}`,
      );
    } catch (error) {
      const isLast = !(error instanceof OrchestratorError) || ids.length === 1 || error.code === 'UNREACHABLE';
      if (isLast) throw error;
      const { message, advice, code } = explain(error, { url, hasKey, command });
      output.note(`${output.notePaint.bad('error:')} ${plain(id)}: ${message}\n  ${advice}`);
      worst = code > worst ? code : worst;
    }
  }
  return worst;
}
