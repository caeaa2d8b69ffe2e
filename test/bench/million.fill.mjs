// Fills a database as a busy week leaves it, through the program's own statements.
import { v7 } from 'uuid';
import { openDatabase } from '../../dist/storage/sqlite/database.js';
import { SqliteJobs } from '../../dist/storage/sqlite/sqlite.jobs.js';
import { SqliteTasks } from '../../dist/storage/sqlite/sqlite.tasks.js';

const HOUR_MS = 3_600_000;
const PER_COMMIT = 10_000;

/** Oldest first, over four days that end an hour ago. Half of them go to one droplet, very few to `rare`. */
export function fill(file, { tasks, waiting }) {
  const { database, close } = openDatabase(file);
  database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -200000');
  const table = new SqliteTasks(database);
  const jobs = new SqliteJobs(database);
  const stepMs = (96 * HOUR_MS) / tasks;
  const firstAt = Date.now() - 97 * HOUR_MS;
  for (let made = 0; made < tasks;) {
    database.exec('BEGIN');
    for (const end = Math.min(tasks, made + PER_COMMIT); made < end; made++) {
      table.insert(record(made, Math.floor(firstAt + made * stepMs), tasks - made <= waiting, jobs));
    }
    database.exec('COMMIT');
  }
  close();
  return { firstAt, lastAt: firstAt + tasks * stepMs };
}

/** Well mixed and the same in every run: no two filters go hand in hand. */
const mixed = (seed, salt) =>
  ((Math.imul(seed + salt * 7919, 2_654_435_761) >>> 0) ^ (Math.imul(seed + salt, 40_503) >>> 3)) >>> 0;

function statusOf(number) {
  const part = mixed(number, 1) % 1000;
  if (part < 900) return 'success';
  if (part < 960) return 'error';
  return part < 990 ? 'timeout' : 'cancelled';
}

function dropletOf(number) {
  if (number % 10_000 === 77) return 'rare';
  const part = mixed(number, 2) % 100;
  return part < 50 ? 'echo' : `droplet-${part}`;
}

function record(number, createdAt, isWaiting, jobs) {
  const id = v7({ msecs: createdAt, seq: number });
  const dropletName = dropletOf(number);
  const status = isWaiting ? 'queued' : statusOf(number);
  const times = { createdAt, completedAt: isWaiting ? null : createdAt + 12, durationMs: isWaiting ? null : 12 };
  const farAway = Date.now() + 48 * HOUR_MS;
  if (isWaiting) jobs.put(jobOf(id, dropletName, farAway));
  return {
    ...{ id, dropletName, targetUrl: `http://${dropletName}.test/work`, method: 'POST', path: '/work', status, ...times },
    ...{
      responseStatus: 200,
      responseBody: '{"ok":true,"result":{"id":42,"name":"a small answer"}}',
      retryCount: 0,
      attempts: 1,
    },
    ...{ caller: '', error: null, priority: 5, runAt: isWaiting ? farAway : createdAt, callback: null },
    meta: { team: `team-${mixed(number, 3) % 20}`, order: String(number) },
    history: [],
    request: null,
  };
}

function jobOf(id, dropletName, dueAt) {
  return {
    ...{ id, kind: 'task', lane: `droplet ${dropletName}`, priority: 5, dueAt, deadlineAt: dueAt + HOUR_MS },
    ...{ attemptsBefore: 0, delayMs: 0, interruptions: 0 },
  };
}
