import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { readFile } from 'node:fs/promises';
import { Clock } from '../common/clock.js';
import { readJsonFile } from '../common/json.file.js';
import { isJsonObject } from '../common/json.js';
import { Log } from '../common/log.js';
import { WatchedFile } from '../common/watched.file.js';
import { Settings } from '../config/settings.js';
import { PolicyBook } from './policy.book.js';
import { parsePolicy, type PolicyEntry } from './policy.entry.js';

/** A header whose value stands in a file of its own: a secret that is mounted. */
const IN_FILE = /^file:(.+)$/s;

/** Reads POLICY_FILE at the start and whenever it changes; a bad one leaves the old one in force. */
@Injectable()
export class PolicyFile implements OnModuleInit, OnModuleDestroy {
  private readonly file: WatchedFile<Map<string, PolicyEntry>> | null;

  constructor(book: PolicyBook, { POLICY_FILE: file }: Settings, clock: Clock, log: Log) {
    const take = (entries: Map<string, PolicyEntry>): object => {
      book.replace(entries);
      return { droplets: entries.size };
    };
    const plan = { setting: 'POLICY_FILE', name: 'policy file', take };
    this.file = file === null ? null : new WatchedFile({ ...plan, read: () => readPolicies(file) }, { clock, log });
  }

  /** @throws BadSettingError when the file cannot be used at the start */
  async onModuleInit(): Promise<void> {
    await this.file?.open();
  }

  onModuleDestroy(): void {
    this.file?.stop();
  }
}

/** The policies of a file, by droplet name in lower case. @throws Error with the reason, which shows no value */
async function readPolicies(file: string): Promise<Map<string, PolicyEntry>> {
  const document = await readJsonFile(file);
  if (!isJsonObject(document)) throw new Error('it must hold a JSON object by droplet name');
  const entries = await Promise.all(
    Object.entries(document).map(async ([name, value]) => [name.toLowerCase(), await readPolicy(name, value)] as const),
  );
  return new Map(entries);
}

async function readPolicy(name: string, value: unknown): Promise<PolicyEntry> {
  const result = parsePolicy(await withFileHeaders(value));
  if ('fault' in result) throw new Error(`'${name}': ${result.fault}`);
  return result.entry;
}

async function withFileHeaders(value: unknown): Promise<unknown> {
  if (!isJsonObject(value) || !isJsonObject(value.headers)) return value;
  const headers = Object.entries(value.headers).map(async ([name, text]) => [name, await headerValue(text)] as const);
  return { ...value, headers: Object.fromEntries(await Promise.all(headers)) };
}

async function headerValue(text: unknown): Promise<unknown> {
  const file = typeof text === 'string' ? IN_FILE.exec(text)?.[1] : undefined;
  return file === undefined ? text : (await readFile(file, 'utf8')).trimEnd();
}
