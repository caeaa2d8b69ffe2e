import { beforeEach, describe, expect, it } from '@jest/globals';
import { queuedTask, taskRecord } from '../../test/support/task.factory.js';
import { NoReplicas } from './replicas.js';
import { matches, TaskEvents, type TaskEvent } from './task.events.js';
import type { TaskRecord } from './task.js';
import type { TaskQuery } from './task.store.js';

describe('TaskEvents', () => {
  let events: TaskEvents;
  let seen: TaskEvent[];

  beforeEach(() => {
    events = new TaskEvents(new NoReplicas());
    seen = [];
  });
  const sequences = (list: readonly TaskEvent[]): number[] => list.map(({ sequence }) => sequence);
  /** What a reader gets who has had the events up to a sequence number. */
  const after = (sequence: number): number[] => {
    const missed: number[] = [];
    for (let next = events.after(sequence); next; next = events.after(next.sequence)) missed.push(next.sequence);
    return missed;
  };
  const publish = (count: number): void => {
    for (let index = 0; index < count; index++) events.publish(queuedTask());
  };

  it('tells everybody who listens, in order', () => {
    const others: TaskEvent[] = [];
    events.subscribe((event) => seen.push(event));
    events.subscribe((event) => others.push(event));
    publish(3);
    expect([sequences(seen), others]).toEqual([[1, 2, 3], seen]);
  });

  it('tells nobody who has left, also when he leaves in the middle of an event', () => {
    const leave = events.subscribe((event) => {
      seen.push(event);
      leave();
    });
    publish(2);
    expect(sequences(seen)).toEqual([1]);
  });

  it('carries nothing of what was sent or answered', () => {
    events.subscribe((event) => seen.push(event));
    const task = queuedTask({ responseBody: '"secret"' });
    events.publish(task);
    expect(seen[0]?.task).toEqual({ ...task, responseBody: 'null', history: [], request: null });
  });

  it('has what somebody missed', () => {
    publish(5);
    expect([after(2), after(5), after(0)]).toEqual([[3, 4, 5], [], [1, 2, 3, 4, 5]]);
  });

  it.each([6, 1e15])('has nothing for a number that it never gave (%d)', (sequence) => {
    publish(5);
    expect(after(sequence)).toEqual([]);
  });

  it('keeps the last 10,000, in order, and no more', () => {
    publish(25_003);
    const kept = after(0);
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([10_000, 15_004, 25_003]);
    expect([events.oldest, events.last]).toEqual([15_004, 25_003]);
    expect(kept).toEqual([...kept].sort((a, b) => a - b));
    expect(after(25_001)).toEqual([25_002, 25_003]);
  });

  it.each<[string, Partial<TaskRecord>, number]>([
    ['long values of meta', { meta: { text: 'm'.repeat(1024 * 1024) } }, 31],
    ['long names in meta', { meta: { ['n'.repeat(1024 * 1024)]: '' } }, 31],
    ['many members of meta', { meta: Object.fromEntries(Array.from({ length: 10_000 }, (_, key) => [`${key}`, ''])) }, 93],
    ['long paths', { path: `/${'p'.repeat(2047)}`, targetUrl: `http://echo.test/${'p'.repeat(2047)}` }, 7250],
  ])('keeps no more than takes 64 MiB: of events with %s the last few', (_what, change, about) => {
    const count = about + 200;
    const task = queuedTask(change);
    for (let index = 0; index < count; index++) events.publish(task);
    const kept = after(0);
    expect([Math.round((kept.length / about) * 10), kept.at(-1)]).toEqual([10, count]);
    expect(kept).toEqual(kept.map((_, index) => count - kept.length + 1 + index));
    expect(after(count - 2)).toEqual([count - 1, count]);
    publish(10_001);
    expect(after(0)).toHaveLength(10_000);
  });

  it('leaves no gap for what another process announces that is no task', () => {
    let announce: (task: TaskRecord) => void = () => undefined;
    class Others extends NoReplicas {
      override onAnnounced(listener?: (task: TaskRecord) => void): void {
        if (listener) announce = listener;
      }
    }
    events = new TaskEvents(new Others());
    publish(1);
    expect(() => announce(JSON.parse('null') as TaskRecord)).toThrow(TypeError);
    publish(1);
    announce(queuedTask());
    expect(after(0)).toEqual([1, 2, 3]);
  });

  it('keeps one that alone is larger', () => {
    publish(3);
    events.publish(queuedTask({ meta: { text: 'm'.repeat(40 * 1024 * 1024) } }));
    expect(after(0)).toEqual([4]);
    publish(2);
    expect(after(0)).toEqual([5, 6]);
  });
});

describe('which changes a reader wants', () => {
  const AT = 1_767_225_600_000;
  const task = taskRecord({ at: AT, dropletName: 'ÉchO', status: 'error', meta: { team: 'red', run: '1' } });

  it.each<[string, Partial<TaskQuery>, boolean]>([
    ['all', {}, true],
    ['its status', { status: 'error' }, true],
    ['another status', { status: 'success' }, false],
    ['an unknown status', { status: 'no such' }, false],
    ['its droplet, whatever the case', { dropletName: 'éCHo' }, true],
    ['another droplet', { dropletName: 'echo' }, false],
    ['made after', { createdAfter: AT - 1 }, true],
    ['made after, exclusive', { createdAfter: AT }, false],
    ['made before', { createdBefore: AT + 1 }, true],
    ['made before, exclusive', { createdBefore: AT }, false],
    ['its meta', { meta: { team: 'red' } }, true],
    ['all of its meta', { meta: { team: 'red', run: '1' } }, true],
    ['one of meta that differs', { meta: { team: 'red', run: '2' } }, false],
    ['meta that it does not have', { meta: { other: '1' } }, false],
    ['a name that every object has', { meta: { toString: 'x' } }, false],
    ['all but one', { status: 'error', dropletName: 'écho', createdAfter: AT, meta: {} }, false],
  ])('%s', (_title, query, expected) => {
    expect(matches(task, { meta: {}, limit: 1, ...query })).toBe(expected);
  });

  it('is no task without meta when meta is asked for', () => {
    expect(matches(taskRecord(), { meta: { a: '' }, limit: 1 })).toBe(false);
  });
});
