import { describe, expect, it } from '@jest/globals';
import { taskRequest } from '../../test/support/task.factory.js';
import { parseSettings } from '../config/settings.js';
import { defaultPolicy } from '../outbound/droplet.policy.js';
import { asynchronousPlan, synchronousPlan } from './retry.plan.js';

const ASKED = { maxAttempts: 7, timeoutMs: 500, attemptTimeoutMs: 100, retryUnsafe: false };

describe('the plan of a task', () => {
  it('takes the settings when the caller waits and asks for nothing', () => {
    expect(synchronousPlan(taskRequest(), parseSettings({}))).toEqual({
      ...{ maxAttempts: 3, timeoutMs: 30_000, attemptTimeoutMs: 10_000, retryUnsafe: true },
      ...{ retryStatuses: [], isPatient: false },
      backoff: { baseMs: 1000, maxMs: 4000, jitter: 'full' },
    });
  });

  it('is more patient when nobody waits', () => {
    expect(asynchronousPlan(taskRequest(), parseSettings({}))).toEqual({
      ...{ maxAttempts: 15, timeoutMs: 600_000, attemptTimeoutMs: 10_000, retryUnsafe: true },
      ...{ retryStatuses: [], isPatient: true },
      backoff: { baseMs: 1000, maxMs: 60_000, jitter: 'full' },
    });
  });

  it('has settings of its own when nobody waits', () => {
    const settings = parseSettings({
      ...{ ASYNC_MAX_RETRIES: '4', ASYNC_TASK_TIMEOUT: '5', ASYNC_ATTEMPT_TIMEOUT: '2', RETRY_JITTER: 'none' },
      ...{ ASYNC_BACKOFF_BASE_MS: '10', ASYNC_BACKOFF_MAX_MS: '20' },
    });
    expect(asynchronousPlan(taskRequest(), settings)).toEqual({
      ...{ maxAttempts: 4, timeoutMs: 5000, attemptTimeoutMs: 2000, retryUnsafe: true },
      ...{ retryStatuses: [], isPatient: true },
      backoff: { baseMs: 10, maxMs: 20, jitter: 'none' },
    });
    expect(synchronousPlan(taskRequest(), settings)).toMatchObject({ maxAttempts: 3, timeoutMs: 30_000 });
  });

  it.each([
    ['with a caller who waits', synchronousPlan],
    ['without', asynchronousPlan],
  ])('takes what the task asks for, %s', (_title, plan) => {
    expect(plan(taskRequest(ASKED), parseSettings({ TASK_MAX_RETRIES: '1', ASYNC_MAX_RETRIES: '1' }))).toMatchObject(ASKED);
    const policy = { ...defaultPolicy(parseSettings({})), maxAttempts: 2, timeoutMs: 600, attemptTimeoutMs: 200 };
    expect(plan(taskRequest(ASKED), parseSettings({}), policy)).toMatchObject(ASKED);
  });

  it.each([
    ['with a caller who waits', synchronousPlan],
    ['without', asynchronousPlan],
  ])('takes what the policy of the droplet says before the settings, %s', (_title, plan) => {
    const said = { maxAttempts: 2, timeoutMs: 600, attemptTimeoutMs: 200, retryStatuses: [429] };
    const settings = parseSettings({ TASK_MAX_RETRIES: '9', ASYNC_MAX_RETRIES: '9' });
    expect(plan(taskRequest(), settings, { ...defaultPolicy(settings), ...said })).toMatchObject(said);
  });

  it('does not let a caller wait longer than any task may, though the policy allows days to those who do not wait', () => {
    const policy = { ...defaultPolicy(parseSettings({})), timeoutMs: 604_800_000 };
    expect(synchronousPlan(taskRequest(), parseSettings({}), policy).timeoutMs).toBe(600_000);
    expect(asynchronousPlan(taskRequest(), parseSettings({}), policy).timeoutMs).toBe(604_800_000);
  });
});
