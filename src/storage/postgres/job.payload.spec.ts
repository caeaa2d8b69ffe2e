import { describe, expect, it } from '@jest/globals';
import { jobOf, queuedTask } from '../../../test/support/task.factory.js';
import { jobFrom, payloadOf } from './job.payload.js';

const NOW = Date.UTC(2026, 0, 1);
/** What the clock of another replica shows beyond ours. */
const AHEAD = 3_600_000;
const CENTURY = 3_155_760_000_000;
const job = jobOf(queuedTask(), NOW + 1000, { delayMs: 20, interruptions: 1, isCharged: false });
/** What the first version keeps of a job: it knows no charges. */
const firstVersionOf = ({ isCharged: _, ...kept }: typeof job) => JSON.stringify(kept);

describe('a job as pg-boss keeps it', () => {
  it.each([0, CENTURY])('comes back whole, its times by the clock of who reads it (due %d ms later)', (ms) => {
    const put = { ...job, dueAt: job.dueAt + ms, deadlineAt: job.deadlineAt + ms };
    const read = jobFrom(payloadOf(put, NOW), NOW + AHEAD);
    expect(read).toEqual({ ...put, dueAt: put.dueAt + AHEAD, deadlineAt: put.deadlineAt + AHEAD });
  });

  it('shows the first version, in a rolling update, the times that it goes by', () => {
    expect(JSON.parse(payloadOf(job, NOW).job)).toEqual(job);
  });

  it('has the times that it was put with when the first version put it, and is charged', () => {
    expect(jobFrom({ job: firstVersionOf(job) }, NOW + 5)).toEqual({ ...job, isCharged: true });
  });

  it('has the times of the first version when that puts back what it has read', () => {
    const { job: read } = payloadOf(job, NOW);
    const putBack = JSON.stringify({ ...JSON.parse(read), dueAt: NOW + 9000 });
    expect(jobFrom({ job: putBack }, NOW + 8000)).toEqual({ ...job, dueAt: NOW + 9000 });
  });

  it('counts its times from when it was put when an early build of this version put it', () => {
    const early = JSON.stringify({ ...job, dueAt: -3, deadlineAt: 60_000 });
    expect(jobFrom({ job: early }, NOW)).toEqual({ ...job, dueAt: NOW - 3, deadlineAt: NOW + 60_000 });
  });
});
