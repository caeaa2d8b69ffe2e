import { COUNTED } from '../task.page.js';
import { firstIdOf } from '../../tasks/task.id.js';
import type { TaskQuery } from '../../tasks/task.store.js';
import { TASK_STATUSES } from '../../tasks/task.js';
import { SCHEMA } from './migrations.js';
import type { Statement } from './postgres.connection.js';
import { pairDigest, storedName } from './postgres.tasks.js';

/** Pairs of `meta` whose order PostgreSQL weighs: a plan takes 2 ms with 4 of them, 20 with 8, and seconds with 100. */
const JOINED = 4;

/** The ids of one page and one more, newest first. */
export function pageStatement(query: TaskQuery): Statement {
  const { text, values } = matches(query);
  return { text: `${text} ORDER BY id DESC LIMIT ${query.limit + 1}`, values };
}

/** Counts the matches before limit and cursor, up to one more than COUNTED. */
export function countStatement({ cursor: _, ...query }: TaskQuery): Statement {
  const { text, values } = matches(query);
  return { text: `SELECT count(*) AS total FROM (${text} LIMIT ${COUNTED + 1}) AS found`, values };
}

/** Collects the conditions of a statement with their parameters. */
class Conditions {
  readonly values: unknown[] = [];
  private readonly texts: string[] = [];

  add(text: (parameter: string) => string, value: unknown): void {
    this.values.push(value);
    this.texts.push(text(`$${this.values.length}`));
  }

  get where(): string {
    return this.texts.length === 0 ? '' : ` WHERE ${this.texts.join(' AND ')}`;
  }
}

/** The rarest of the first pairs of `meta` leads when there are any, for they say most; each further one is looked up for every id. */
function matches({
  caller,
  status,
  dropletName,
  createdAfter,
  createdBefore,
  cursor,
  meta,
}: TaskQuery): Required<Pick<Statement, 'text' | 'values'>> {
  const conditions = new Conditions();
  // The index by caller holds only those that have a name.
  if (caller !== undefined) conditions.add((value) => `t.caller = ${value} AND t.caller <> ''`, caller);
  if (status !== undefined) conditions.add((value) => `t.status = ${value}`, knownStatus(status));
  if (dropletName !== undefined) conditions.add((value) => `t.droplet_key = ${value}`, storedName(dropletName.toLowerCase()));
  // With a status for each, the index by droplet gives ids in their order within it.
  if (dropletName !== undefined && status === undefined)
    conditions.add((value) => `t.status = ANY(${value}::text[])`, TASK_STATUSES);
  if (createdAfter !== undefined) conditions.add((value) => `t.id >= ${value}::uuid`, wholeId(Math.floor(createdAfter) + 1));
  if (createdBefore !== undefined) conditions.add((value) => `t.id < ${value}::uuid`, wholeId(createdBefore));
  if (cursor !== undefined) conditions.add((value) => `t.id < ${value}::uuid`, cursor);
  for (const [index, pair] of Object.entries(meta).entries()) {
    const probe = (value: string): string => `(SELECT 1 FROM ${SCHEMA}.task_meta AS m WHERE m.pair = ${value} AND m.id = t.id)`;
    conditions.add((value) => (index < JOINED ? `EXISTS ${probe(value)}` : `${probe(value)} = 1`), pairDigest(pair));
  }
  return { text: `SELECT t.id FROM ${SCHEMA}.tasks AS t${conditions.where}`, values: conditions.values };
}

/** No task has an unknown one, which may be a text that PostgreSQL does not take; nor has any the empty one. */
const knownStatus = (status: string): string => TASK_STATUSES.find((known) => known === status) ?? '';

/** The smallest id of a moment, in full: PostgreSQL compares ids as such. */
const wholeId = (ms: number): string => `${firstIdOf(ms)}-0000-0000-000000000000`;
