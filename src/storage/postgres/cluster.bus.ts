import { randomUUID } from 'node:crypto';
import type { PgBoss } from 'pg-boss';
import type { Clock } from '../../common/clock.js';
import type { Log } from '../../common/log.js';
import type { PostgresConnection } from './postgres.connection.js';

const CHANNEL = 'orchestrator';
/** PostgreSQL takes less than 8,000 bytes a notification. */
const MAX_PAYLOAD_BYTES = 7_800;
/** With the sender's name and the brackets around it. */
const MAX_MESSAGE_BYTES = MAX_PAYLOAD_BYTES - 16;
/** Messages of this long go together: a notification costs a round trip. */
const GATHER_MS = 2;
/** What waits when the store is away is not worth more memory than this: nobody relies on a message. */
const MAX_WAITING = 10_000;

/** What replicas say to each other, by topic. */
export type Message = readonly [topic: string, value: unknown];
/** pg-boss' own, which can hold a connection to listen on. */
type BossDatabase = ReturnType<PgBoss['getDb']>;
type ListenHandle = Awaited<ReturnType<NonNullable<BossDatabase['listen']>>>;
type Listener = (value: unknown, from: string) => void;

/**
 * Hints between the replicas by LISTEN and NOTIFY: each may be lost, so whoever waits for one also looks by itself.
 * They are sent beside the transactions that they tell of: a NOTIFY in a transaction makes all others of the database
 * queue up for its commit.
 */
export class ClusterBus {
  private readonly us = randomUUID().slice(0, 8);
  private readonly listeners = new Map<string, Listener>();
  private readonly reconnected: (() => void)[] = [];
  private waiting = new Map<string, string>();
  private count = 0;
  private isSending = false;
  private handle: ListenHandle | null = null;

  constructor(
    private readonly connection: PostgresConnection,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Begins to listen; a connection that breaks is made anew. */
  async open(database: BossDatabase): Promise<void> {
    const onReconnect = (): void => this.reconnected.forEach((listener) => listener());
    this.handle = (await database.listen?.(CHANNEL, (payload) => this.receive(payload), onReconnect)) ?? null;
  }

  async close(): Promise<void> {
    await this.handle?.close();
  }

  /** Whether a message is short enough to be sent. */
  takes(...message: Message): boolean {
    return isShort(JSON.stringify(message));
  }

  /** Sends soon, to all others; once, when it waits already under the same key. */
  send(topic: string, value: unknown, key = String(++this.count)): void {
    if (this.waiting.size >= MAX_WAITING) return;
    const text = JSON.stringify([topic, value]);
    if (!isShort(text)) return;
    this.waiting.set(`${topic} ${key}`, text);
    if (!this.isSending) void this.sendAll();
  }

  on(topic: string, listener: Listener): void {
    this.listeners.set(topic, listener);
  }

  /** Calls back when messages may have been missed. */
  onReconnect(listener: () => void): void {
    this.reconnected.push(listener);
  }

  private async sendAll(): Promise<void> {
    this.isSending = true;
    while (this.waiting.size > 0) {
      await this.clock.sleep(GATHER_MS);
      const payloads = packed(this.us, [...this.waiting.values()]);
      this.waiting.clear();
      const text = 'SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload';
      const notify = { name: 'notify', text, values: [CHANNEL, payloads] };
      await this.connection.query(notify, 'local').catch((err: unknown) => this.log.debug({ err }, 'replicas not told'));
    }
    this.isSending = false;
  }

  /** Anybody who may use the database can send to the channel: what is not ours must not end the process. */
  private receive(payload: string): void {
    try {
      const [from, ...messages] = JSON.parse(payload) as [string, ...Message[]];
      if (from === this.us) return;
      for (const [topic, value] of messages) this.listeners.get(topic)?.(value, from);
    } catch (err) {
      this.log.debug({ err }, 'message not understood');
    }
  }
}

const isShort = (message: string): boolean => Buffer.byteLength(message) <= MAX_MESSAGE_BYTES;

/** As many messages in each notification as it takes. */
function packed(from: string, messages: readonly string[]): string[] {
  const payloads: string[] = [];
  let current = JSON.stringify(from);
  for (const message of messages) {
    if (Buffer.byteLength(current) + Buffer.byteLength(message) > MAX_PAYLOAD_BYTES) {
      payloads.push(`[${current}]`);
      current = JSON.stringify(from);
    }
    current += `,${message}`;
  }
  return [...payloads, `[${current}]`];
}
