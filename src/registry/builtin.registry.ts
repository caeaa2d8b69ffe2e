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

/** The Registry of an orchestrator that was given none: durable in its own store, with itself as the first droplet. */
@Injectable()
export class BuiltinRegistry implements OnModuleInit {
  private byId = new Map<number, OwnDroplet>();
  private index: DropletIndex<OwnDroplet> | null = null;
  private lastWrite: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: DropletStore,
    private readonly settings: Settings,
    private readonly clock: Clock,
  ) {}

  async onModuleInit(): Promise<void> {
    if (this.settings.REGISTRY_URL !== null) return;
    this.byId = new Map((await this.store.all()).map((droplet) => [droplet.id, droplet]));
    await this.registerSelf();
  }

  /** Every entry as it is now, searchable. */
  get droplets(): DropletIndex<OwnDroplet> {
    this.index ??= new DropletIndex([...this.byId.values()]);
    return this.index;
  }

  /** The entry as it is now: inactive when its heartbeats have stopped. */
  present(droplet: OwnDroplet): OwnDroplet {
    return presentEntry(droplet, this.clock.now());
  }

  /** @throws ConflictError when the name or the id is taken */
  add(entry: NewDroplet): Promise<OwnDroplet> {
    return this.inTurn(() => this.insert(entry));
  }

  /** @throws DropletNotFoundError, ConflictError when the new name is taken, or the entry is our own */
  change(key: string, change: DropletChange): Promise<OwnDroplet> {
    return this.inTurn(() => this.update(key, change));
  }

  /** @throws DropletNotFoundError, ConflictError for our own entry */
  remove(key: string): Promise<OwnDroplet> {
    return this.inTurn(() => this.delete(key));
  }

  /** @throws DropletNotFoundError */
  heartbeat(key: string, report: HeartbeatReport): Promise<OwnDroplet> {
    return this.inTurn(async () => this.beat(key, report));
  }

  private async insert(entry: NewDroplet): Promise<OwnDroplet> {
    this.refuseIfRemote();
    const endpoint = entry.endpoint ?? entry.url;
    if (endpoint === null) throw InvalidRequestError.of('endpoint', 'is required');
    if (this.isTaken(entry.name)) throw new ConflictError(`Droplet with name '${entry.name}' already exists`);
    const holder = entry.id === null ? undefined : this.byId.get(entry.id);
    if (holder) throw new ConflictError(`The id ${holder.id} is held by '${holder.name}'`);
    return this.save(newEntry(entry, { id: entry.id ?? this.freeId(), endpoint }, this.clock.now()));
  }

  private async update(key: string, change: DropletChange): Promise<OwnDroplet> {
    const before = this.find(key);
    if (change.name !== null && change.name !== before.name) this.refuseName(before, change.name);
    return this.save(changedEntry(before, change, this.clock.now()));
  }

  private async delete(key: string): Promise<OwnDroplet> {
    const droplet = this.find(key);
    if (this.isOwn(droplet)) throw new ConflictError('The orchestrator lists itself');
    await this.store.remove(droplet.id);
    this.byId.delete(droplet.id);
    this.index = null;
    return droplet;
  }

  private beat(key: string, report: HeartbeatReport): Promise<OwnDroplet> {
    return this.save(beatingEntry(this.find(key), report, this.clock.now()));
  }

  /** One write at a time: what a write checks must still hold when it is stored. */
  private inTurn<T>(write: () => Promise<T>): Promise<T> {
    const turn = this.lastWrite.then(write);
    this.lastWrite = turn.catch(() => undefined);
    return turn;
  }

  private find(key: string): OwnDroplet {
    this.refuseIfRemote();
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

  private refuseIfRemote(): void {
    const { REGISTRY_URL: url } = this.settings;
    if (url !== null) throw new ConflictError(`Droplets are registered at ${url}`, { registry_url: url });
  }

  private async save(droplet: OwnDroplet): Promise<OwnDroplet> {
    await this.store.put(droplet);
    this.byId.set(droplet.id, droplet);
    this.index = null;
    return droplet;
  }

  private async registerSelf(): Promise<void> {
    const { SERVICE_NAME, DROPLET_ID } = this.settings;
    const before = this.droplets.droplets.find(({ name }) => name === SERVICE_NAME);
    const id = before?.id ?? (this.byId.has(DROPLET_ID) ? this.freeId() : DROPLET_ID);
    await this.save(selfEntry(id, before, this.settings, this.clock.now()));
  }

  /** The lowest one that is free: one after the highest would, after 2^53 - 1, be an id that another droplet has. */
  private freeId(): number {
    let id = FIRST_FREE_ID;
    while (this.byId.has(id)) id++;
    return id;
  }
}
