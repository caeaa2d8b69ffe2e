import { isFinal, type TaskRecord } from '../client/entry.js';
import { durationText } from './duration.js';
import { againLines, bodyLines, errorLines } from './outcome.js';
import type { Output } from './output.js';
import { plain } from './plain.text.js';
import { timeLine } from './time.line.js';

/** A record for people: what it was, how it went, its attempts, and what was answered. */
export function recordText(task: TaskRecord, output: Output): string {
  const { paint } = output;
  const facts = [
    ['task', task.id],
    ['status', paint.status(task.status)],
    ['request', plain(`${task.droplet_name} ${task.method} ${task.path}`)],
    ['target', plain(task.target_url)],
    ['created', new Date(task.created_at * 1000).toISOString()],
    ...(task.run_at !== null && !isFinal(task.status) ? [['due', plain(task.run_at)]] : []),
    ...(task.duration_ms === null ? [] : [['took', durationText(task.duration_ms)]]),
    ...(task.meta === null
      ? []
      : [
          [
            'meta',
            plain(
              Object.entries(task.meta)
                .map((pair) => pair.join('='))
                .join(' '),
            ),
          ],
        ]),
    ...(task.callback === null ? [] : [['callback', plain(`${task.callback.status} after ${task.callback.attempts} attempts`)]]),
  ];
  return [
    ...facts.map(([name = '', value = '']) => `${paint.faint(name.padEnd(9))}${value}`),
    ...errorLines(task.error),
    ...(task.history.length > 0 ? ['', timeLine(task.history, output)] : []),
    ...spaced(bodyLines(task)),
    ...(isFinal(task.status) ? [] : ['', paint.faint(`follow it with 'orchestrator watch ${task.id}'`)]),
    ...spaced(againLines(task.id, task.status, paint)),
  ].join('\n');
}

const spaced = (lines: readonly string[]): string[] => (lines.length > 0 ? ['', ...lines] : []);
