import type { Attempt } from '../client/entry.js';
import { durationText } from './duration.js';
import type { Output } from './output.js';
import { plain } from './plain.text.js';

const WIDTH = 40;

/** The attempts of a task: how long was waited before each, how long it took, and what came of it. */
export function timeLine(history: readonly Attempt[], output: Output): string {
  const start = history[0]?.started_at ?? 0;
  const end = Math.max(...history.map(({ started_at, duration_ms }) => started_at + duration_ms / 1000));
  const scale = WIDTH / Math.max(end - start, 0.001);
  const rows = history.map((attempt) => {
    const { duration_ms, response_status, error_code, delay_ms } = attempt;
    const answer = response_status?.toString() ?? 'no answer';
    return [
      ...[String(attempt.attempt), bar(attempt, start, scale), delay_ms === 0 ? '-' : durationText(delay_ms)],
      ...[durationText(duration_ms), error_code === null ? answer : `${answer} ${output.paint.bad(plain(error_code))}`],
    ];
  });
  return output.table(COLUMNS, rows);
}

const COLUMNS = [{ head: 'ATTEMPT' }, { head: 'WHEN' }, { head: 'WAITED' }, { head: 'TOOK' }, { head: 'ANSWER' }];

/** Dots until it began, and a mark for as long as it took. */
function bar({ started_at, duration_ms }: Attempt, start: number, scale: number): string {
  const before = Math.min(WIDTH - 1, Math.round((started_at - start) * scale));
  const length = Math.max(1, Math.min(WIDTH - before, Math.round((duration_ms / 1000) * scale)));
  return `${'·'.repeat(before)}${'█'.repeat(length)}`;
}
