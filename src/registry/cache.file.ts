import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { Clock } from '../common/clock.js';
import { isJsonObject } from '../common/json.js';
import { Log } from '../common/log.js';
import { iso } from '../common/time.js';
import { Settings } from '../config/settings.js';
import type { KnownDroplet } from './droplet.list.js';
import { readEntry } from './registry.document.js';

const FILE_NAME = 'orchestrator_droplets.json';
const SCHEMA = 1;

export interface SavedList {
  readonly droplets: readonly KnownDroplet[];
  /** Epoch milliseconds. */
  readonly savedAt: number;
}

/** The droplet list on disk, so that a start without the Registry knows the last one; contract §5, Cache. */
@Injectable()
export class CacheFile {
  private readonly file: string;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    { CACHE_DIR }: Settings,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.file = path.join(CACHE_DIR, FILE_NAME);
  }

  /** Writes whole or not at all: a temporary file, fsynced, then renamed. A failure is logged, never fatal. */
  save(droplets: readonly KnownDroplet[]): Promise<void> {
    this.writing = this.writing.then(() =>
      this.replace(droplets).catch((err: unknown) => this.log.warn({ err, file: this.file }, 'droplet list not saved')),
    );
    return this.writing;
  }

  /** The saved list, or null for none. A file that cannot be used is set aside, never fatal. */
  async load(): Promise<SavedList | null> {
    try {
      const text = await readFile(this.file, 'utf8');
      return readSaved(text, (await stat(this.file)).mtimeMs);
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code === 'ENOENT') return null;
      await this.setAside(err);
      return null;
    }
  }

  private async replace(droplets: readonly KnownDroplet[]): Promise<void> {
    await mkdir(path.dirname(this.file), { recursive: true });
    const temporary = `${this.file}.tmp`;
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(document(droplets, this.clock.now()));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, this.file);
  }

  private async setAside(err: unknown): Promise<void> {
    const aside = `${this.file}.corrupt-${this.clock.now()}`;
    const moved = await rename(this.file, aside).then(
      () => aside,
      () => null,
    );
    this.log.warn({ err, file: this.file, moved_to: moved }, 'droplet list on disk cannot be used');
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

function document(droplets: readonly KnownDroplet[], now: number): string {
  const sha256 = digest(JSON.stringify(droplets));
  return JSON.stringify({ schema: SCHEMA, saved_at: iso(now), sha256, droplets });
}

/** @throws Error when the text is not a list that was saved whole */
function readSaved(text: string, modifiedAt: number): SavedList {
  const value: unknown = JSON.parse(text);
  if (Array.isArray(value)) return { droplets: value.flatMap(readKnown), savedAt: modifiedAt };
  if (!isJsonObject(value) || value.schema !== SCHEMA) throw new Error('The file has a form that is not known');
  const { droplets, sha256, saved_at: savedAt } = value;
  if (!Array.isArray(droplets) || digest(JSON.stringify(droplets)) !== sha256) throw new Error('The checksum does not match');
  return { droplets: droplets.flatMap(readKnown), savedAt: Date.parse(String(savedAt)) || modifiedAt };
}

function readKnown(entry: unknown): KnownDroplet[] {
  const droplet = readEntry(entry);
  if (!droplet) return [];
  const { missingSince } = entry as Partial<KnownDroplet>;
  return [{ ...droplet, missingSince: typeof missingSince === 'number' ? missingSince : null }];
}
