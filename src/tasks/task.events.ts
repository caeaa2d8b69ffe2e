import { Injectable } from '@nestjs/common';
import { Replicas } from './replicas.js';
import type { TaskRecord } from './task.js';
import type { TaskQuery } from './task.store.js';

/** Events that a reader who was away can still get, at most. */
const KEPT_EVENTS = 10_000;
/** What they may take together: two of the largest batches in ASCII (16 MiB with the default BODY_LIMIT), a sixteenth of the pod's memory. */
const KEPT_BYTES = 64 * 1024 * 1024;
/** What an event takes besides its texts, a member of its meta besides its own, and a character at most; about, in V8. */
const EVENT_BYTES = 1024;
const MEMBER_BYTES = 64;
const CHARACTER_BYTES = 2;

/** An event tells of a change, not of the attempts. */
const NO_HISTORY: TaskRecord['history'] = [];

/** A change of a task. */
export interface TaskEvent {
  /** Rises by one with each event of this process. */
  readonly sequence: number;
  readonly task: TaskRecord;
}

export type TaskListener = (event: TaskEvent) => void;

/** Tells who listens of every change of a task, and keeps the last ones for those who come back. */
@Injectable()
export class TaskEvents {
  private readonly listeners = new Set<TaskListener>();
  /** The task of each event, by its sequence number modulo their greatest number: one object an event, half of what two took. */
  private readonly kept: (TaskRecord | undefined)[] = [];
  private keptBytes = 0;
  private firstKept = 1;
  private sequence = 0;

  constructor(private readonly replicas: Replicas) {
    replicas.onAnnounced((task) => this.deliver(task));
  }

  publish(task: TaskRecord): void {
    this.deliver(task);
    this.replicas.announce(task);
  }

  /** Begins to listen; the returned function ends it. */
  subscribe(listener: TaskListener): () => void {
    this.listeners.add(listener);
    this.replicas.listen(true);
    return () => {
      this.listeners.delete(listener);
      this.replicas.listen(this.listeners.size > 0);
    };
  }

  /** The sequence number of the last event; 0 before the first. */
  get last(): number {
    return this.sequence;
  }

  /** The sequence number of the oldest event that is kept, or of the first that will be. */
  get oldest(): number {
    return this.firstKept;
  }

  /** The kept event that comes next after a sequence number; null when none does yet. */
  after(sequence: number): TaskEvent | null {
    if (sequence >= this.sequence) return null;
    const next = Math.max(sequence + 1, this.firstKept);
    const task = this.kept[next % KEPT_EVENTS];
    return task ? { sequence: next, task } : null;
  }

  private deliver(task: TaskRecord): void {
    // First, because it throws for what is no task: other processes may announce anything, and no number may be left out.
    const bytes = bytesOf(task);
    const event = { sequence: ++this.sequence, task: { ...task, responseBody: 'null', history: NO_HISTORY, request: null } };
    this.keep(event, bytes);
    for (const listener of this.listeners) listener(event);
  }

  /** The newest is kept whatever it takes: readers may still have to get it. */
  private keep({ sequence, task }: TaskEvent, bytes: number): void {
    this.keptBytes += bytes;
    while (this.firstKept < sequence && this.isTooMuch) this.forgetOldest();
    this.kept[sequence % KEPT_EVENTS] = task;
  }

  private get isTooMuch(): boolean {
    return this.sequence - this.firstKept >= KEPT_EVENTS || this.keptBytes > KEPT_BYTES;
  }

  private forgetOldest(): void {
    const place = this.firstKept++ % KEPT_EVENTS;
    const oldest = this.kept[place];
    if (oldest) this.keptBytes -= bytesOf(oldest);
    this.kept[place] = undefined;
  }
}

/** About what the event of a task takes in memory. */
function bytesOf({ path, targetUrl, meta }: TaskRecord): number {
  const members = Object.entries(meta ?? {});
  const characters = members.reduce((sum, [name, text]) => sum + name.length + text.length, path.length + targetUrl.length);
  return EVENT_BYTES + MEMBER_BYTES * members.length + CHARACTER_BYTES * characters;
}

/** True for a task that a list with this query would show. */
export function matches(
  task: TaskRecord,
  { caller, status, dropletName, createdAfter, createdBefore, meta }: TaskQuery,
): boolean {
  if (caller !== undefined && task.caller !== caller) return false;
  if (status !== undefined && task.status !== status) return false;
  if (dropletName !== undefined && task.dropletName.toLowerCase() !== dropletName.toLowerCase()) return false;
  if (createdAfter !== undefined && task.createdAt <= createdAfter) return false;
  if (createdBefore !== undefined && task.createdAt >= createdBefore) return false;
  return Object.entries(meta).every(([key, value]) => task.meta?.[key] === value);
}
