import { describe, expect, it } from '@jest/globals';
import { FINAL_STATUSES, isFinal, MOVES, statesBefore, TASK_STATUSES, type TaskStatus } from './task.js';

describe('the state machine of a task', () => {
  it.each<[TaskStatus, TaskStatus[], boolean]>([
    ['queued', ['running', 'error', 'timeout', 'cancelled'], false],
    ['running', ['queued', 'success', 'error', 'timeout', 'cancelled'], false],
    ['success', [], true],
    ['error', ['queued'], true],
    ['timeout', ['queued'], true],
    ['cancelled', ['queued'], true],
  ])('%s may become %j and nothing else', (from, to, isLast) => {
    expect([...MOVES[from]].sort()).toEqual(to.sort());
    expect(isFinal(from)).toBe(isLast);
  });

  it('knows these states only', () => {
    expect([...TASK_STATUSES].sort()).toEqual(['cancelled', 'error', 'queued', 'running', 'success', 'timeout']);
    expect(Object.keys(MOVES).sort()).toEqual([...TASK_STATUSES].sort());
  });

  it('leads from every state to an end, and from no end to another', () => {
    for (const status of ['queued', 'running'] as const) expect(MOVES[status].some(isFinal)).toBe(true);
    for (const status of FINAL_STATUSES) expect(MOVES[status].some(isFinal)).toBe(false);
  });

  it.each<[TaskStatus, TaskStatus[]]>([
    ['queued', ['running', 'error', 'timeout', 'cancelled']],
    ['running', ['queued']],
    ['success', ['running']],
    ['error', ['queued', 'running']],
    ['timeout', ['queued', 'running']],
    ['cancelled', ['queued', 'running']],
  ])('%s is reached from %j', (to, from) => {
    expect(statesBefore(to).sort()).toEqual(from.sort());
  });
});
