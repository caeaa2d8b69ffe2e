import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { readFile } from 'node:fs/promises';
import { Clock } from '../common/clock.js';
import { isJsonObject } from '../common/json.js';
import { Log } from '../common/log.js';
import { BadSettingError } from '../config/setting.js';
import { Settings } from '../config/settings.js';
import { PolicyBook } from './policy.book.js';
import { parsePolicy, type PolicyEntry } from './policy.entry.js';

/** How often the file is read: a mounted one changes without any sign that could be waited for. */
const LOOK_EVERY_MS = 2000;
/** A header whose value stands in a file of its own: a secret that is mounted. */
const IN_FILE = /^file:(.+)$/s;

/** Reads POLICY_FILE at the start and whenever it changes; a bad one leaves the old one in force. */
@Injectable()
export class PolicyFile implements OnModuleInit, OnModuleDestroy {
  private readonly stopped = new AbortController();
  private last = '';

  constructor(
    private readonly book: PolicyBook,
    private readonly settings: Settings,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** @throws BadSettingError when the file cannot be used at the start */
  async onModuleInit(): Promise<void> {
    const { POLICY_FILE: file } = this.settings;
    if (file === null) return;
    try {
      await this.look(file);
    } catch (error) {
      throw new BadSettingError('POLICY_FILE', `cannot be used: ${(error as Error).message}`);
    }
    void this.watch(file);
  }

  onModuleDestroy(): void {
    this.stopped.abort();
  }

  private async watch(file: string): Promise<void> {
    let told = '';
    while (await this.clock.sleep(LOOK_EVERY_MS, this.stopped.signal)) {
      try {
        await this.look(file);
        told = '';
      } catch (error) {
        const { message } = error as Error;
        if (message !== told) this.log.error({ fault: message }, 'policy file not taken, the old one holds');
        told = message;
      }
    }
  }

  private async look(file: string): Promise<void> {
    const entries = await readPolicies(file);
    const state = JSON.stringify([...entries]);
    if (state === this.last) return;
    if (this.last !== '') this.log.info({ droplets: entries.size }, 'policy file taken');
    this.last = state;
    this.book.replace(entries);
  }
}

/** The policies of a file, by droplet name in lower case. @throws Error with the reason, which shows no value */
async function readPolicies(file: string): Promise<Map<string, PolicyEntry>> {
  const document = parsed(await readFile(file, 'utf8'));
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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
}
