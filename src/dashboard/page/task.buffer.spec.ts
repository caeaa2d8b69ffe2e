import { beforeEach, describe, expect, it } from '@jest/globals';
import { pageTask } from '../../../test/support/page.task.js';
import type { TaskStatus } from './api.types.d.ts';
import { TaskBuffer } from './task.buffer.js';

const task = (id: string, status: TaskStatus = 'success') => pageTask(id, { status });

describe('the tasks that the page keeps', () => {
  let buffer: TaskBuffer;
  beforeEach(() => {
    buffer = new TaskBuffer(3);
  });
  const shown = (): string[] => buffer.tasks.map(({ id, status }) => `${id} ${status}`);

  it('are the newest, each as it was told last', () => {
    buffer.apply([task('1', 'running'), task('2'), task('4'), task('3')]);
    expect(shown()).toEqual(['4 success', '3 success', '2 success']);
    buffer.apply([task('3', 'error')]);
    expect(shown()).toEqual(['4 success', '3 error', '2 success']);
  });

  it('wait while it is held, and those that are shown change in their place', () => {
    buffer.apply([task('1', 'running')]);
    buffer.hold();
    buffer.apply([task('2'), task('1')]);
    expect([shown(), buffer.waiting]).toEqual([['1 success'], 1]);
    buffer.release();
    expect([shown(), buffer.waiting]).toEqual([['2 success', '1 success'], 0]);
  });

  it('go when they are wanted no more, but not from under the pointer', () => {
    buffer.wanted = ({ status }) => status === 'running';
    buffer.apply([task('1', 'running'), task('2')]);
    expect(shown()).toEqual(['1 running']);
    buffer.hold();
    buffer.apply([task('1')]);
    expect(shown()).toEqual(['1 success']);
    buffer.release();
    expect(shown()).toEqual([]);
  });

  it('give way to a list, but for what was told while it was asked for', () => {
    buffer.apply([task('1', 'running'), task('2', 'running')]);
    buffer.beginFill();
    buffer.apply([task('2', 'error'), task('5')]);
    buffer.fill([task('2', 'running'), task('3')]);
    expect(shown()).toEqual(['5 success', '3 success', '2 error']);
  });

  it('do not come back by an older list when they went meanwhile', () => {
    buffer.wanted = ({ status }) => status === 'running';
    buffer.apply([task('1', 'running')]);
    buffer.beginFill();
    buffer.apply([task('1')]);
    buffer.fill([task('1', 'running')]);
    expect(shown()).toEqual([]);
  });

  it('stay when a list does not come, but for those that are wanted no more', () => {
    buffer.apply([task('1'), task('2', 'error')]);
    buffer.wanted = ({ status }) => status === 'error';
    buffer.beginFill();
    buffer.apply([task('3', 'error')]);
    buffer.abandonFill();
    expect(shown()).toEqual(['3 error', '2 error']);
    buffer.fill([task('3', 'error')]);
    expect(shown()).toEqual(['3 error']);
  });

  it('are bounded too while they wait', () => {
    buffer.hold();
    for (let id = 1; id <= 9; id++) buffer.apply([task(String(id))]);
    expect(buffer.waiting).toBe(3);
    buffer.release();
    expect(shown()).toEqual(['9 success', '8 success', '7 success']);
  });
});
