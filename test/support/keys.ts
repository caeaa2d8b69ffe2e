import { createHash } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tempFolder } from './process.js';

/** An entry of API_KEYS_FILE, with the key itself instead of its digest. */
export interface TestKey {
  readonly key: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly droplets?: readonly string[];
  readonly rate_per_second?: number;
  readonly concurrency?: number;
}

export const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');

export const bearer = (credential: string): Record<string, string> => ({ authorization: `Bearer ${credential}` });

/** A key file in a folder of its own; every change of it is one rename, as a mounted file changes. */
export class KeyFile {
  readonly folder = tempFolder();
  readonly path = path.join(this.folder, 'keys.json');

  constructor(keys: readonly TestKey[]) {
    this.write(keys);
  }

  write(keys: readonly TestKey[]): void {
    this.writeText(JSON.stringify(keys.map(({ key, ...entry }) => ({ ...entry, sha256: sha256(key) }))));
  }

  writeText(text: string): void {
    writeFileSync(`${this.path}.new`, text);
    renameSync(`${this.path}.new`, this.path);
  }
}
