import { jest } from '@jest/globals';
import { SystemClock } from '../../src/common/clock.js';
import { STEP_MS } from '../../src/metrics/history.js';

/** The steps of the history end when a test says so, in every orchestrator of this process. */
export class HeldSteps {
  private ends = new Set<() => void>();

  constructor() {
    const { ends } = this;
    const after = SystemClock.prototype.after;
    jest.spyOn(SystemClock.prototype, 'after').mockImplementation(function (this: SystemClock, ms, action) {
      if (ms !== STEP_MS) return after.call(this, ms, action);
      ends.add(action);
      return () => void ends.delete(action);
    });
  }

  end(): void {
    const due = [...this.ends];
    this.ends.clear();
    for (const end of due) end();
  }
}
