// Loaded into the built server by `--import`: it kills itself at a named point, so that the product needs no hook for it.
// CRASH_POINT says where, CRASH_OCCASION how often that point must be reached first, CRASH_ARMED=later that SIGUSR2 begins the count.
import { writeSync } from 'node:fs';

const { SqliteTaskStore } = await import('../../dist/storage/sqlite/sqlite.task.store.js');
const { TaskCaller } = await import('../../dist/tasks/task.caller.js');

const { CRASH_POINT, CRASH_OCCASION, CRASH_ARMED } = process.env;
let left = Number(CRASH_OCCASION);
let isArmed = CRASH_ARMED !== 'later';
process.on('SIGUSR2', () => (isArmed = true));

// The rows are written, the transaction is not yet committed.
after(SqliteTaskStore, 'acceptOne', 'inserted');
// Committed; the caller has no answer yet.
after(SqliteTaskStore, 'accept', 'committed');
// Committed that the task runs; its droplet knows nothing of it yet.
before(TaskCaller, 'step', 'claimed');
// The droplet has answered; nothing of that is stored yet.
after(TaskCaller, 'step', 'answered');
// The result is committed.
after(SqliteTaskStore, 'settle', 'settled');

function before({ prototype }, method, point) {
  const original = methodOf(prototype, method);
  prototype[method] = function (...args) {
    reached(point);
    return original.apply(this, args);
  };
}

function after({ prototype }, method, point) {
  const original = methodOf(prototype, method);
  const passed = (result) => {
    reached(point);
    return result;
  };
  prototype[method] = function (...args) {
    const result = original.apply(this, args);
    if (result instanceof Promise) return result.then(passed);
    return passed(result);
  };
}

/** A point that a change of the source has moved must not pass unseen. */
function methodOf(prototype, method) {
  if (typeof prototype[method] !== 'function') throw new Error(`there is no ${method} any more: mend test/crash/trap.mjs`);
  return prototype[method];
}

function reached(point) {
  if (!isArmed || point !== CRASH_POINT || --left > 0) return;
  writeSync(1, `died: ${point}\n`);
  process.kill(process.pid, 'SIGKILL');
}
