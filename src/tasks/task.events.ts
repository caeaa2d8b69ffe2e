import { Injectable } from '@nestjs/common';
import { Replicas } from './replicas.js';
import type { TaskRecord } from './task.js';
import type { TaskQuery } from './task.store.js';

/** Events that a reader who was away can still get. */
const KEPT_EVENTS = 10_000;

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
  private readonly kept: TaskEvent[] = [];
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

  /** The kept events that came after a sequence number. */
  since(sequence: number): TaskEvent[] {
    const first = Math.max(sequence + 1, this.sequence - KEPT_EVENTS + 1);
    const wanted = Array.from({ length: Math.max(0, this.sequence - first + 1) }, (_, index) => first + index);
    return wanted.flatMap((number) => this.kept[number % KEPT_EVENTS] ?? []);
  }

  private deliver(task: TaskRecord): void {
    const event = { sequence: ++this.sequence, task: { ...task, responseBody: 'null', history: [], request: null } };
    this.kept[event.sequence % KEPT_EVENTS] = event;
    for (const listener of this.listeners) listener(event);
  }
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
