import { InvalidRequestError, type OrchestratorError } from '../common/errors.js';
import { isJsonObject } from '../common/json.js';
import { validBody } from '../inbound/valid.js';
import { SubmitTask } from './submit-task.dto.js';

export const MAX_BATCH = 1000;

/**
 * The tasks of a batch's body, each valid or the reason why not.
 * @throws InvalidRequestError when the body holds no list of 1 to 1000 tasks
 */
export function readBatch(body: unknown): (SubmitTask | OrchestratorError)[] {
  const tasks = isJsonObject(body) ? body.tasks : undefined;
  if (!Array.isArray(tasks)) throw InvalidRequestError.of('tasks', 'must be a list of tasks');
  if (tasks.length < 1 || tasks.length > MAX_BATCH) throw InvalidRequestError.of('tasks', `must hold 1 to ${MAX_BATCH} tasks`);
  return tasks.map(readTask);
}

function readTask(task: unknown): SubmitTask | OrchestratorError {
  try {
    return validBody(SubmitTask, task);
  } catch (error) {
    if (error instanceof InvalidRequestError) return error;
    throw error;
  }
}
