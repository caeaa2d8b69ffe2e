import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { ConflictError, DropletNotFoundError, InvalidRequestError } from '../common/errors.js';
import { Settings } from '../config/settings.js';
import { beatingEntry, changedEntry, newEntry, presentEntry, selfEntry } from './builtin.entry.js';
import { DropletIndex } from './droplet.index.js';
import { DropletStore, type OwnDroplet } from './droplet.store.js';
import type { DropletChange, HeartbeatReport, NewDroplet } from './registration.dto.js';

/** 1 and 2 are the Registry's and the orchestrator's in every mesh. */
const FIRST_FREE_ID = 3;

/** How often a write is thought over because another process was first: each time a write of theirs went through. */
const MAX_TRIES = 100;

/** What a write puts in the place of what; null for nothing. */
type Change =
  { readonly after: OwnDroplet; readonly before: OwnDroplet | null } | { readonly after: null; readonly before: OwnDroplet };

/** The Registry of an orchestrator that was given none: durable in its own store, with itself as the first droplet. */
@Injectable()
export class BuiltinRegistry implements OnModuleInit {
  private byId = new Map<number, OwnDroplet>();
  private index: DropletIndex<OwnDroplet> | null = null;
  private lastWrite: Promise<unknown> = Promise.resolve();
  private writes = 0;
  private reading: Promise<unknown> = Promise.resolve();
  private nextReading: Promise<void> | null = null;

  constructor(
    private readonly store: DropletStore,
    private readonly settings: Settings,
    private readonly clock: Clock,
  ) {}

  async onModuleInit(): Promise<void> {
    if (this.settings.REGISTRY_URL !== null) return;
    await this.refresh();
    await this.registerSelf();
    this.store.onChange(() => void this.refresh().catch(() => undefined));
  }

  /** Every entry as it is now, searchable; by id, so that all processes find the same one by a name in another case. */
  get droplets(): DropletIndex<OwnDroplet> {
    this.index ??= new DropletIndex([...this.byId.values()].sort((a, b) => a.id - b.id));
    return this.index;
  }

  /** Reads what other processes have written until now; many who ask share a read that begins after they have asked. */
  refresh(): Promise<void> {
    this.nextReading ??= this.reading.then(() => {
      this.nextReading = null;
      const read = this.read();
      this.reading = read.catch(() => undefined);
      return read;
    });
    return this.nextReading;
  }

  /** The entry as it is now: inactive when its heartbeats have stopped. */
  present(droplet: OwnDroplet): OwnDroplet {
    return presentEntry(droplet, this.clock.now());
  }

  /** @throws ConflictError when the name or the id is taken */
  add(entry: NewDroplet): Promise<OwnDroplet> {
    return this.inTurn(() => this.write(() => this.insert(entry)));
  }

  /** @throws DropletNotFoundError, ConflictError when the new name is taken, or the entry is our own */
  change(key: string, change: DropletChange): Promise<OwnDroplet> {
    return this.inTurn(() => this.write(() => this.update(key, change)));
  }

  /** @throws DropletNotFoundError, ConflictError for our own entry */
  remove(key: string): Promise<OwnDroplet> {
    return this.inTurn(() => this.write(() => this.removal(key)));
  }

  /** @throws DropletNotFoundError */
  heartbeat(key: string, report: HeartbeatReport): Promise<OwnDroplet> {
    return this.inTurn(() => this.write(() => this.beat(key, report)));
  }

  private async read(): Promise<void> {
    const before = this.writes;
    const droplets = await this.store.all();
    // What was written here meanwhile may be missing from what was read.
    if (this.writes !== before) return this.read();
    this.byId = new Map(droplets.map((droplet) => [droplet.id, droplet]));
    this.index = null;
  }

  private insert(entry: NewDroplet): Change {
    const endpoint = entry.endpoint ?? entry.url;
    if (endpoint === null) throw InvalidRequestError.of('endpoint', 'is required');
    if (this.isTaken(entry.name)) throw new ConflictError(`Droplet with name '${entry.name}' already exists`);
    const holder = entry.id === null ? undefined : this.byId.get(entry.id);
    if (holder) throw new ConflictError(`The id ${holder.id} is held by '${holder.name}'`);
    const place = { id: entry.id ?? this.freeId(), endpoint };
    return { after: newEntry(entry, place, this.clock.now()), before: null };
  }

  private update(key: string, change: DropletChange): Change {
    const before = this.find(key);
    if (change.name !== null && change.name !== before.name) this.refuseName(before, change.name);
    return { after: changedEntry(before, change, this.clock.now()), before };
  }

  private removal(key: string): Change {
    const before = this.find(key);
    if (this.isOwn(before)) throw new ConflictError('The orchestrator lists itself');
    return { after: null, before };
  }

  private beat(key: string, report: HeartbeatReport): Change {
    const before = this.find(key);
    return { after: beatingEntry(before, report, this.clock.now()), before };
  }

  /** Makes a change, thought over anew for as long as other processes are first. */
  private async write(change: () => Change): Promise<OwnDroplet> {
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const { after, before } = await this.known(change);
      const isFirst = after === null ? await this.store.remove(before) : await this.store.put(after, before);
      if (isFirst) return this.wrote(after, after ?? before);
      await this.refresh();
    }
    throw new ConflictError('Others keep changing the entry: try again');
  }

  /** What the entries that are known say; before they say no, those of other processes are looked at. */
  private async known<T>(look: () => T): Promise<T> {
    try {
      return look();
    } catch {
      await this.refresh();
      return look();
    }
  }

  private wrote(after: OwnDroplet | null, droplet: OwnDroplet): OwnDroplet {
    if (after === null) this.byId.delete(droplet.id);
    else this.byId.set(droplet.id, droplet);
    this.writes++;
    this.index = null;
    return droplet;
  }

  /** One write at a time: what a write checks must still hold when it is stored. */
  private inTurn<T>(write: () => Promise<T>): Promise<T> {
    const turn = this.lastWrite.then(write);
    this.lastWrite = turn.catch(() => undefined);
    return turn;
  }

  private find(key: string): OwnDroplet {
    const droplet = this.droplets.findByIdOrName(key);
    if (!droplet) throw new DropletNotFoundError(key, this.droplets.names);
    return droplet;
  }

  private refuseName(droplet: OwnDroplet, name: string): void {
    if (this.isOwn(droplet)) throw new ConflictError('The orchestrator is listed under its own name');
    if (this.isTaken(name)) throw new ConflictError(`Droplet with name '${name}' already exists`);
  }

  private isTaken(name: string): boolean {
    return this.droplets.droplets.some((other) => other.name === name);
  }

  private isOwn({ name }: OwnDroplet): boolean {
    return name === this.settings.SERVICE_NAME;
  }

  private async registerSelf(): Promise<void> {
    const { SERVICE_NAME, DROPLET_ID } = this.settings;
    await this.write(() => {
      const before = this.droplets.droplets.find(({ name }) => name === SERVICE_NAME);
      const id = before?.id ?? (this.byId.has(DROPLET_ID) ? this.freeId() : DROPLET_ID);
      return { after: selfEntry(id, before, this.settings, this.clock.now()), before: before ?? null };
    });
  }

  /** The lowest one that is free: one after the highest would, after 2^53 - 1, be an id that another droplet has. */
  private freeId(): number {
    let id = FIRST_FREE_ID;
    while (this.byId.has(id)) id++;
    return id;
  }
}
