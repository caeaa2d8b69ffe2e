import type { TaskRecord } from './task.js';

/** The other processes that share the store: a port, implemented by each store. */
export abstract class Replicas {
  /** Tells those of them where somebody listens of a change of a task. */
  abstract announce(task: TaskRecord): void;

  /** Takes what they announce: the task without its history and its response. */
  abstract onAnnounced(listener: (task: TaskRecord) => void): void;

  /** Says whether somebody listens here, so that they need not tell us otherwise. */
  abstract listen(isListening: boolean): void;

  /** Asks them to cut off the call of a task; true once the one that makes it has said that it does. */
  abstract cutOff(id: string): Promise<boolean>;

  /** Takes what they ask to be cut off; the handler says whether it runs here. */
  abstract onCutOff(handler: (id: string) => boolean): void;
}

/** The one process of a store that takes no other. */
export class NoReplicas extends Replicas {
  announce(): void {
    // Nobody to tell.
  }

  onAnnounced(): void {
    // Nobody announces.
  }

  listen(): void {
    // Nobody to listen to.
  }

  cutOff(): Promise<boolean> {
    return Promise.resolve(false);
  }

  onCutOff(): void {
    // Nobody asks.
  }
}
