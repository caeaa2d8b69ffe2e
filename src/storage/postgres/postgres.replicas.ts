import { randomUUID } from 'node:crypto';
import type { Clock } from '../../common/clock.js';
import { isJsonObject } from '../../common/json.js';
import { Replicas } from '../../tasks/replicas.js';
import { isFinal, type TaskRecord } from '../../tasks/task.js';
import type { ClusterBus } from './cluster.bus.js';

/** How often a replica where somebody listens says so, and for how long the others believe it. */
const SAY_EVERY_MS = 5000;
const BELIEVED_MS = 15_000;
/** A reader that comes back soon finds that we have listened meanwhile. */
const LISTEN_ON_MS = 60_000;
/** A replica that makes a call says so well within this. */
const ANSWER_WITHIN_MS = 500;

/** The other replicas, over the bus. */
export class PostgresReplicas extends Replicas {
  /** Where somebody listens: until when that is believed, monotonic ms. */
  private readonly listening = new Map<string, number>();
  private isListening = false;
  private listenUntil = -Infinity;
  private isSaying = false;
  private readonly asked = new Map<string, AbortController>();
  private lastLoaded: Promise<void> = Promise.resolve();
  private readonly stopped = new AbortController();

  /** @param load reads a task from the store */
  constructor(
    private readonly bus: ClusterBus,
    private readonly clock: Clock,
    private readonly load: (id: string) => Promise<TaskRecord | null>,
  ) {
    super();
    bus.on('who listens', () => this.sayThatWeListen());
    bus.on('listen', (_, from) => this.listening.set(from, clock.monotonic() + BELIEVED_MS));
    bus.on('cutting', (id) => this.asked.get(String(id))?.abort());
    bus.onReconnect(() => {
      this.bus.send('who listens', null, 'all');
      this.sayThatWeListen();
    });
  }

  announce(task: TaskRecord): void {
    if (!this.isAnyoneListening()) return;
    const whole = { ...task, responseBody: 'null', history: [], request: null };
    if (this.bus.takes('task', whole)) this.bus.send('task', whole);
    else this.bus.send('long task', briefly(task));
  }

  onAnnounced(listener: (task: TaskRecord) => void): void {
    this.bus.on('task', (task) => {
      if (isTask(task)) listener(task);
    });
    this.bus.on('long task', (change) => {
      if (isChange(change)) this.complete(change, listener);
    });
  }

  listen(isListening: boolean): void {
    this.isListening = isListening;
    if (!isListening) this.listenUntil = this.clock.monotonic() + LISTEN_ON_MS;
    else if (!this.isSaying) void this.keepSaying();
  }

  async cutOff(id: string): Promise<boolean> {
    const answered = new AbortController();
    const question = randomUUID();
    this.asked.set(question, answered);
    this.bus.send('cut', { id, question });
    const isSilent = await this.clock.sleep(ANSWER_WITHIN_MS, answered.signal);
    this.asked.delete(question);
    return !isSilent;
  }

  onCutOff(handler: (id: string) => boolean): void {
    this.bus.on('cut', (value) => {
      const { id, question } = value as { id: string; question: string };
      if (handler(id)) this.bus.send('cutting', question);
    });
  }

  stop(): void {
    this.stopped.abort();
  }

  /** Adds what is too long for a message, in the order of the changes. */
  private complete(change: BriefChange, listener: (task: TaskRecord) => void): void {
    const loading = this.load(change.id).catch(() => null);
    this.lastLoaded = this.lastLoaded.then(async () => {
      const task = await loading;
      if (task) listener({ ...task, ...change });
    });
  }

  private isAnyoneListening(): boolean {
    const now = this.clock.monotonic();
    for (const until of this.listening.values()) if (now < until) return true;
    return false;
  }

  private async keepSaying(): Promise<void> {
    this.isSaying = true;
    do this.sayThatWeListen();
    while ((await this.clock.sleep(SAY_EVERY_MS, this.stopped.signal)) && this.isNeeded());
    this.isSaying = false;
  }

  private isNeeded(): boolean {
    return this.isListening || this.clock.monotonic() < this.listenUntil;
  }

  private sayThatWeListen(): void {
    if (this.isNeeded()) this.bus.send('listen', null, 'all');
  }
}

/** Others may write to the channel too. */
const isChange = (value: unknown): value is BriefChange =>
  isJsonObject(value) && typeof value.id === 'string' && typeof value.status === 'string';

const isTask = (value: unknown): value is TaskRecord =>
  isChange(value) && typeof value.path === 'string' && typeof value.targetUrl === 'string';

type BriefChange = Pick<TaskRecord, 'id' | 'status'> & Partial<TaskRecord>;

/** What changes of a task, but for the texts that may be long: those of its end are in the store when it is told of. */
function briefly({ id, status, responseStatus, retryCount, attempts, completedAt, durationMs, runAt }: TaskRecord): BriefChange {
  const change = { id, status, responseStatus, retryCount, attempts, completedAt, durationMs, runAt };
  return isFinal(status) ? change : { ...change, error: null, callback: null };
}
