import { describe, expect, it } from '@jest/globals';
import { queuedTask, taskRequest } from '../../test/support/task.factory.js';
import { parseSettings } from '../config/settings.js';
import { callbackJob, firstJob, laterJob, nextAttemptJob } from './task.jobs.js';

const NOW = 1_767_225_600_000;

describe('the first job of a task', () => {
  it('is due when the task is, and its deadline counts from then', () => {
    const task = queuedTask({ dropletName: 'ÉchO', priority: 8 });
    expect(firstJob(task, NOW + 5000, 600_000)).toEqual({
      ...{ id: task.id, kind: 'task', lane: 'droplet écho', priority: 8, dueAt: NOW + 5000, deadlineAt: NOW + 605_000 },
      ...{ attemptsBefore: 0, delayMs: 0, interruptions: 0, isCharged: true },
    });
  });

  it('of a task that is run again does not count the attempts that were made before', () => {
    expect(firstJob(queuedTask({ attempts: 15 }), NOW, 1)).toMatchObject({ attemptsBefore: 15, interruptions: 0 });
  });

  it('shares its lane with every task of the droplet, however its name is typed', () => {
    const lanes = ['echo', 'Echo', 'ECHO'].map((dropletName) => firstJob(queuedTask({ dropletName }), NOW, 1).lane);
    expect(new Set(lanes).size).toBe(1);
  });
});

describe('the job of the next attempt', () => {
  it('is due after the wait, with the deadline of the first', () => {
    const first = { ...firstJob(queuedTask(), NOW, 600_000), interruptions: 1 };
    expect(nextAttemptJob(first, NOW + 100, { delayMs: 1000, isCharged: true })).toEqual({
      ...first,
      dueAt: NOW + 1100,
      delayMs: 1000,
    });
  });

  it('waits whole milliseconds, never less than it should', () => {
    expect(nextAttemptJob(firstJob(queuedTask(), NOW, 1), NOW, { delayMs: 12.001, isCharged: true })).toMatchObject({
      dueAt: NOW + 13,
      delayMs: 13,
    });
  });
});

describe('the job of an attempt that is put off', () => {
  const job = firstJob(queuedTask(), NOW, 10_000);

  it('is the same, later', () => {
    expect(laterJob(job, NOW + 100, 1000.5)).toEqual({ ...job, dueAt: NOW + 1101 });
  });

  it('is due at the deadline at the latest, so that the task ends in time', () => {
    expect(laterJob(job, NOW + 100, 60_000).dueAt).toBe(NOW + 10_000);
    expect(laterJob(job, NOW + 20_000, 60_000).dueAt).toBe(NOW + 20_000);
  });
});

describe('the job of a callback', () => {
  const settings = parseSettings({ ASYNC_TASK_TIMEOUT: '60' });
  const job = (callbackUrl: string | null) => callbackJob(queuedTask({ request: taskRequest({ callbackUrl }) }), NOW, settings);

  it('is none when nobody asked for it, or the request is not kept', () => {
    expect([job(null), callbackJob(queuedTask({ request: null }), NOW, settings)]).toEqual([null, null]);
  });

  it('has a time of its own', () => {
    expect(job('https://hook.test/x')).toMatchObject({
      kind: 'callback',
      dueAt: NOW,
      deadlineAt: NOW + 60_000,
      attemptsBefore: 0,
    });
  });

  it('shares a lane with those to the same host, and with no droplet', () => {
    const lanes = ['https://hook.test/a', 'https://HOOK.test:443/b', 'https://hook.test:8443/a'].map((url) => job(url)?.lane);
    expect(lanes).toEqual(['callback https://hook.test', 'callback https://hook.test', 'callback https://hook.test:8443']);
  });
});
