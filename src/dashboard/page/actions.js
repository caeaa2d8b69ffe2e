import { ApiError, send } from './api.js';
import { confirmed } from './dialogs.js';
import { notify } from './notice.js';

/**
 * @typedef {import('./api.types.d.ts').Task} Task
 * @typedef {import('./api.types.d.ts').TaskRecord} TaskRecord
 * @typedef {import('./api.types.d.ts').Droplet} Droplet
 * @typedef {'open' | 'closed' | 'auto'} BreakerOrder
 */

/** @param {Task} task */
const named = ({ method, path, droplet_name }) => `${method} ${path} of ${droplet_name}`;

/**
 * @param {Task} task
 * @returns {Promise<TaskRecord | null>} null when it was not done
 */
export const cancelTask = (task) =>
  acted(
    {
      ...{ title: 'Cancel this task?', action: 'Cancel the task', isGrave: true },
      text: `${named(task)}. If it waits, it is never sent; if it runs, its call is cut off and may have taken effect.`,
    },
    () => send('DELETE', `tasks/${encodeURIComponent(task.id)}`),
    'The task is cancelled',
  );

/**
 * @param {Task} task
 * @returns {Promise<TaskRecord | null>}
 */
export const retryTask = (task) =>
  acted(
    {
      title: 'Run this task again?',
      action: 'Run it again',
      text: `${named(task)}. It runs under its own id, and its history goes on.`,
    },
    () => send('POST', `tasks/${encodeURIComponent(task.id)}/retry`),
    'The task is queued again',
  );

/** @param {Droplet} droplet */
export const pauseDroplet = (droplet) =>
  orderOn(droplet, 'pause', {
    ...{ title: `Pause ${droplet.name}?`, action: 'Pause it', isGrave: true, done: `${droplet.name} is paused` },
    text: 'No call is made to it until it is resumed: synchronous tasks are refused, asynchronous ones wait.',
  });

/** @param {Droplet} droplet */
export const resumeDroplet = (droplet) =>
  orderOn(droplet, 'resume', {
    ...{ title: `Resume ${droplet.name}?`, action: 'Resume it', done: `${droplet.name} is resumed` },
    text: 'Calls to it go again; those that waited begin with a few.',
  });

/** @type {Record<BreakerOrder, { verb: string, text: string }>} */
const BREAKER = {
  open: { verb: 'Hold open', text: 'It is not called, as if it kept failing, until the breaker is set otherwise.' },
  closed: { verb: 'Hold closed', text: 'It is called however often it fails, until the breaker is set otherwise.' },
  auto: { verb: 'Leave to itself', text: 'It opens and closes by how the calls go.' },
};

/**
 * @param {Droplet} droplet
 * @param {BreakerOrder} state
 */
export function setBreaker(droplet, state) {
  const { verb, text } = BREAKER[state];
  const title = `Breaker of ${droplet.name}: ${verb.toLowerCase()}?`;
  const question = { title, action: verb, text, isGrave: state === 'open', done: `The breaker of ${droplet.name} is set` };
  return orderOn(droplet, 'breaker', question, { state });
}

/**
 * @param {Droplet} droplet
 * @param {string} order
 * @param {{ title: string, action: string, text: string, isGrave?: boolean, done: string }} question
 * @param {object} [body]
 * @returns {Promise<Droplet | null>}
 */
async function orderOn({ id }, order, { done, ...question }, body) {
  const path = `droplets/${encodeURIComponent(String(id))}/${order}`;
  const answer = await acted(question, () => /** @type {Promise<{ droplet: Droplet }>} */ (send('POST', path, body)), done);
  return answer?.droplet ?? null;
}

/**
 * Asks, acts, and says what came of it.
 * @template T
 * @param {Parameters<typeof confirmed>[0]} question
 * @param {() => Promise<T>} act
 * @param {string} done
 * @returns {Promise<T | null>}
 */
async function acted(question, act, done) {
  if (!(await confirmed(question))) return null;
  try {
    const answer = await act();
    notify(done);
    return answer;
  } catch (error) {
    notify(failureText(error), 'failed');
    return null;
  }
}

/** @param {unknown} error */
function failureText(error) {
  if (!(error instanceof ApiError)) return `It failed: ${String(error)}`;
  return error.status === 403 ? `This key may not do that. ${error.message}.` : `Refused: ${error.message}`;
}
