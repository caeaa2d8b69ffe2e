import { describe, expect, it } from '@jest/globals';
import { pageTask } from '../../../test/support/page.task.js';
import { timeline } from './timeline.js';

const attempt = (number: number, started_at: number, duration_ms: number, error_code: string | null = 'DROPLET_ERROR') => ({
  ...{
    attempt: number,
    started_at,
    duration_ms,
    response_status: error_code ? 503 : 200,
    error_code,
    delay_ms: 0,
    endpoint: null,
  },
});
const record = <T extends object>(more: T) => pageTask('1', { response_body: null, history: [], ...more });
const places = (bars: ReturnType<typeof timeline>['bars']) =>
  bars.map(({ waitFrom, callFrom, callMs }) => [waitFrom, callFrom, callMs]);

describe('the line of time of a task', () => {
  it('puts waits and calls one after the other', () => {
    const history = [attempt(1, 1000.01, 20), attempt(2, 1000.1, 30, null)];
    const { totalMs, bars } = timeline(record({ history }), 2000);
    expect(places(bars)).toEqual([
      [0, 10, 20],
      [30, 100, 30],
    ]);
    expect(totalMs).toBe(130);
    expect(bars.map(({ waitMs, status, error }) => [waitMs, status, error])).toEqual([
      [10, 503, 'DROPLET_ERROR'],
      [70, 200, null],
    ]);
  });

  it('begins when the task was due', () => {
    const run_at = new Date(1_500_000).toISOString();
    expect(places(timeline(record({ run_at, history: [attempt(1, 1500.2, 50)] }), 2000).bars)).toEqual([[0, 200, 50]]);
  });

  it('draws a wait of hours shorter, and says what it was', () => {
    const history = [attempt(1, 1000, 100), attempt(2, 8200, 100, null)];
    const { totalMs, bars } = timeline(record({ history }), 9000);
    expect(bars.map(({ isCut, waitMs }) => [isCut, waitMs])).toEqual([
      [false, 0],
      [true, 7_199_900],
    ]);
    expect(totalMs).toBeLessThan(1000);
  });

  it.each([
    ['queued' as const, { waitMs: 2000, callMs: 0, isCalling: false }],
    ['running' as const, { waitMs: 0, callMs: 2000, isCalling: true }],
  ])('goes on until now for one that is %s', (status, part) => {
    const { bars } = timeline(record({ status, completed_at: null }), 1002);
    expect(bars).toEqual([expect.objectContaining({ attempt: 1, ...part, isOpen: true })]);
  });

  it('draws no call after an attempt that ended: the next one may not have begun', () => {
    const history = [attempt(1, 1000, 500)];
    const { bars } = timeline(record({ status: 'running' as const, completed_at: null, history }), 1003);
    expect(bars[1]).toMatchObject({ attempt: 2, waitMs: 2500, callMs: 0, isOpen: true, isCalling: false });
  });

  it('takes clocks that differ for no wait at all', () => {
    expect(timeline(record({ history: [attempt(1, 999, 10)] }), 2000).bars[0]?.waitMs).toBe(0);
  });
});
