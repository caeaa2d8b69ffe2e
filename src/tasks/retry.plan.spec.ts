import { describe, expect, it } from '@jest/globals';
import { parseSettings } from '../config/settings.js';
import { validBody } from '../inbound/valid.js';
import { retryPlan } from './retry.plan.js';
import { SubmitTask } from './submit-task.dto.js';

const task = (fields: object = {}): SubmitTask => validBody(SubmitTask, { droplet_name: 'd', path: '/', ...fields });

describe('retryPlan', () => {
  it('takes the settings when the task asks for nothing', () => {
    expect(retryPlan(task(), parseSettings({}))).toEqual({
      ...{ maxAttempts: 3, timeoutMs: 30_000, attemptTimeoutMs: 10_000, retryUnsafe: true },
      backoff: { baseMs: 1000, maxMs: 4000, jitter: 'full' },
    });
  });

  it('takes what the task asks for', () => {
    const asked = task({ max_attempts: 7, timeout_ms: 500, attempt_timeout_ms: 100, retry_unsafe: false });
    expect(retryPlan(asked, parseSettings({ TASK_MAX_RETRIES: '1' }))).toMatchObject({
      ...{ maxAttempts: 7, timeoutMs: 500, attemptTimeoutMs: 100, retryUnsafe: false },
    });
  });
});
