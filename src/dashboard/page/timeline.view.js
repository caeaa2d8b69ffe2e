import { h, svg } from './dom.js';
import { duration } from './format.js';
import { timeline } from './timeline.js';

/**
 * @typedef {import('./api.types.d.ts').TaskRecord} TaskRecord
 * @typedef {import('./timeline.js').Bar} Bar
 */

const WIDTH = 1000;
const HEIGHT = 14;
/** A call of a millisecond within an hour is still to be seen. */
const LEAST = 6;

/**
 * The attempts of a task, each a line of its own on one scale of time: the wait before it, then the call.
 * @param {TaskRecord} task
 * @param {number} now epoch seconds
 */
export function timelineView(task, now) {
  const { totalMs, bars } = timeline(task, now);
  const scale = WIDTH / totalMs;
  return h('ol', { class: 'timeline' }, ...bars.map((bar) => h('li', {}, ...texts(bar, task), lineOf(bar, scale))));
}

/**
 * @param {Bar} bar
 * @param {TaskRecord} task
 */
function texts({ attempt, waitMs, callMs, status, error, isOpen, isCalling, isCut }, task) {
  const tone = isOpen ? task.status : error ? 'error' : 'success';
  const outcome = isOpen
    ? openOutcome(task.status === 'running', isCalling)
    : [status, error].filter(Boolean).join(' ') || 'answered';
  const wait = waitMs > 0 ? `after ${duration(waitMs)}${isCut ? ' (drawn shorter)' : ''}` : 'at once';
  return [
    h('b', {}, `#${attempt}`),
    h('span', { class: 'outcome', 'data-tone': tone }, outcome),
    h('span', { class: 'muted' }, isOpen && !isCalling ? `for ${duration(waitMs)}` : `${wait}, took ${duration(callMs)}`),
  ];
}

/**
 * @param {boolean} isRunning
 * @param {boolean} isCalling
 */
const openOutcome = (isRunning, isCalling) => (isCalling ? 'runs' : isRunning ? 'waits or calls' : 'waits');

/**
 * @param {Bar} bar
 * @param {number} scale
 */
function lineOf({ waitFrom, callFrom, callMs, error, isOpen, isCalling, isCut }, scale) {
  const x = Math.min(callFrom * scale, WIDTH - LEAST);
  const wait = svg('rect', { class: isCut ? 'wait cut' : 'wait', x: waitFrom * scale, y: 5, height: 4, rx: 2 });
  wait.setAttribute('width', String(Math.max(0, x - waitFrom * scale)));
  const tone = isOpen ? 'running' : error ? 'error' : 'success';
  const call = svg('rect', {
    class: 'call',
    'data-tone': tone,
    x,
    height: HEIGHT,
    rx: 3,
    width: Math.max(LEAST, callMs * scale),
  });
  return svg(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('line', { class: 'axis', x1: 0, x2: WIDTH, y1: 7, y2: 7 }),
    wait,
    isOpen && !isCalling ? null : call,
  );
}
