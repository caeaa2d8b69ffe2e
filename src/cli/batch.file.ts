import { JsonText } from '../client/entry.js';
import { plain } from './plain.text.js';
import { UsageError } from './usage.error.js';

/** A task of a file, as it is written there. */
export interface FileTask {
  readonly line: number;
  readonly task: JsonText;
}

/** What one request holds at most: the API's own limit, and a quarter of what the server takes by default. */
const BATCH_TASKS = 1000;
const BATCH_CHARACTERS = 4 * 2 ** 20;
const SHOWN_FAULTS = 10;

/** The tasks of a JSON-lines file; empty lines are none. @throws UsageError that names the bad lines */
export function readTasks(text: string, fromLine: number): readonly FileTask[] {
  const faults: string[] = [];
  const tasks: FileTask[] = [];
  for (const [index, each] of text.split('\n').entries()) {
    const line = index + 1;
    if (each.trim() === '' || line < fromLine) continue;
    const task = taskIn(each.trim());
    if (task instanceof JsonText) tasks.push({ line, task });
    else faults.push(`line ${line}: ${plain(task)}`);
  }
  if (faults.length > 0) throw new UsageError(`Nothing was sent; ${listed(faults)}`);
  if (tasks.length === 0) throw new UsageError('There is no task in it: write one JSON object a line');
  return tasks;
}

/** The task of a line, or what is wrong with it. */
function taskIn(text: string): JsonText | string {
  try {
    const task = new JsonText(text);
    return text.startsWith('{') ? task : 'is no JSON object';
  } catch (error) {
    return (error as SyntaxError).message;
  }
}

const listed = (faults: readonly string[]): string =>
  faults.slice(0, SHOWN_FAULTS).join('; ') + (faults.length > SHOWN_FAULTS ? `; and ${faults.length - SHOWN_FAULTS} more` : '');

/** The tasks in parts that the server takes. */
export function inBatches(tasks: readonly FileTask[]): FileTask[][] {
  const batches: FileTask[][] = [];
  let characters = Infinity;
  for (const each of tasks) {
    const last = batches.at(-1);
    characters += each.task.text.length;
    if (last && last.length < BATCH_TASKS && characters <= BATCH_CHARACTERS) last.push(each);
    else {
      batches.push([each]);
      characters = each.task.text.length;
    }
  }
  return batches;
}
