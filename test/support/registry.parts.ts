import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Clock } from '../../src/common/clock.js';
import { Lifecycle } from '../../src/common/lifecycle.js';
import { createLog, type Log } from '../../src/common/log.js';
import { parseSettings, type Settings } from '../../src/config/settings.js';
import { ResponseMemory } from '../../src/outbound/response.memory.js';
import { RetryPolicy } from '../../src/outbound/retry.policy.js';
import { UndiciTransport } from '../../src/outbound/undici.adapter.js';
import type { Droplet } from '../../src/registry/droplet.js';
import type { KnownDroplet } from '../../src/registry/droplet.list.js';
import { RegistryClient } from '../../src/registry/registry.client.js';
import { SqliteStorage } from '../../src/storage/sqlite/sqlite.storage.js';
import { type SqliteDropletStore } from '../../src/storage/sqlite/sqlite.droplet.store.js';

/** A log that a test can read: one object a line. */
export class ReadableLog {
  readonly lines: Record<string, any>[] = [];
  readonly log: Log = createLog('trace', {
    write: (line: string) => void this.lines.push(JSON.parse(line) as Record<string, unknown>),
  });
}

/** A folder of its own, and how to be rid of it. */
export function temporaryFolder(): { home: string; remove: () => void } {
  const home = mkdtempSync(path.join(tmpdir(), 'registry-'));
  return { home, remove: () => rmSync(home, { recursive: true, force: true }) };
}

export const settingsOf = (environment: Record<string, string> = {}): Settings =>
  parseSettings({ LOG_LEVEL: 'silent', ...environment });

/** A whole entry, as the Registry's answer is kept. */
export function knownDroplet(name: string, more: Partial<KnownDroplet> = {}): KnownDroplet {
  const plain: Droplet = {
    ...{ id: 1, name, endpoint: `http://${name.toLowerCase()}:9000`, version: null, metadata: null, steward: null },
    ...{ status: 'active', proof: null, cost_usd: 0, yield_usd: 0, registered_at: null, updated_at: null },
  };
  return { ...plain, missingSince: null, ...more };
}

/** The client of a real Registry over real sockets; its time limits run on the clock that is given. */
export function registryClient(
  settings: Settings,
  clock: Clock,
): { client: RegistryClient; lifecycle: Lifecycle; close: () => Promise<void> } {
  const transport = new UndiciTransport();
  const lifecycle = new Lifecycle();
  const http = new HttpService(
    axios.create({ adapter: transport.adapter, transformRequest: [], transformResponse: [], validateStatus: null }),
  );
  const client = new RegistryClient(new RetryPolicy(http, new ResponseMemory(settings), clock), settings, lifecycle);
  return { client, lifecycle, close: () => transport.close() };
}

/** The built-in Registry's store on a real file. */
export function openDropletStore(settings: Settings, clock: Clock): { store: SqliteDropletStore; close: () => void } {
  const storage = SqliteStorage.open({ settings, clock, log: new ReadableLog().log, onCommit: () => undefined });
  return { store: storage.droplets, close: () => storage.onApplicationShutdown() };
}
