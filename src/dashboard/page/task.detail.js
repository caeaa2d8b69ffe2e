import { cancelTask, retryTask } from './actions.js';
import { get } from './api.js';
import { serverClock } from './clock.js';
import { h } from './dom.js';
import { button, facts } from './facts.js';
import { duration, moment, plural } from './format.js';
import { timelineView } from './timeline.view.js';

/** @typedef {import('./api.types.d.ts').TaskRecord} TaskRecord */

/** An answer is shown up to so many characters; the API gives it whole. */
const SHOWN = 4000;

/**
 * One task, whole.
 * @param {string} id
 * @returns {Promise<import('./detail.view.js').Detail>}
 */
export async function taskDetail(id) {
  const task = /** @type {TaskRecord} */ (await get(`tasks/${encodeURIComponent(id)}`));
  const attempts = h('div');
  const drawAttempts = () => attempts.replaceChildren(timelineView(task, serverClock.seconds()));
  drawAttempts();
  return {
    title: `${task.method} ${task.path}`,
    state: JSON.stringify(task),
    tick: isOpen(task) ? drawAttempts : undefined,
    parts: [
      h('p', { class: 'lead' }, h('span', { class: 'pill', 'data-tone': task.status }, task.status), lead(task)),
      task.error_message ? h('p', { class: 'fault' }, task.error_message) : h('span'),
      buttons(task),
      h('h3', {}, 'Attempts'),
      attempts,
      h('h3', {}, 'Task'),
      factsOf(task),
      ...bodyOf(task),
    ],
  };
}

/** @param {TaskRecord} task */
const isOpen = ({ status }) => status === 'queued' || status === 'running';

/** @param {TaskRecord} task */
function lead(task) {
  const droplet = h('a', { href: `#droplet/${encodeURIComponent(task.droplet_name)}` }, task.droplet_name);
  const made = plural(task.attempts, 'attempt');
  if (isOpen(task)) return h('span', {}, 'for ', droplet, `, ${made} so far`);
  const took = task.duration_ms === null ? '' : ` in ${duration(task.duration_ms)}`;
  const said = task.response_status === null ? 'gave no answer' : `answered ${task.response_status}`;
  return h('span', {}, droplet, ` ${said}, ${made}${took}`);
}

/** @param {TaskRecord} task */
function buttons(task) {
  const canRetry = !isOpen(task) && task.status !== 'success';
  return h(
    'div',
    { class: 'buttons' },
    isOpen(task) ? button('Cancel', () => void cancelTask(task), { isGrave: true }) : null,
    canRetry ? button('Run again', () => void retryTask(task)) : null,
  );
}

/** @param {TaskRecord} task */
function factsOf(task) {
  const meta = Object.entries(task.meta ?? {}).map(([key, value]) => `${key}=${value}`);
  return facts([
    ['Id', h('code', {}, task.id)],
    ['Target', h('code', {}, task.target_url)],
    ['Created', moment(task.created_at)],
    ['Due', task.run_at === null ? null : moment(Date.parse(task.run_at) / 1000)],
    ['Completed', task.completed_at === null ? null : moment(task.completed_at)],
    ['Priority', String(task.priority)],
    ['Meta', meta.join(', ')],
    ['Error', task.error?.code ?? null],
    ['Details', task.error?.details ? h('code', {}, JSON.stringify(task.error.details)) : null],
    ['Callback', task.callback ? [task.callback.status, task.callback.last_error].filter(Boolean).join(': ') : null],
  ]);
}

/** @param {TaskRecord} task */
function bodyOf({ response_body }) {
  if (response_body === null) return [];
  const text = typeof response_body === 'string' ? response_body : JSON.stringify(response_body, null, 2);
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}\n…` : text;
  return [h('h3', {}, 'Answer'), h('pre', { tabindex: 0, 'aria-label': 'Answer of the droplet' }, shown)];
}
