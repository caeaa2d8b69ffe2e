import type { Identity } from '../common/access.js';
import { InvalidRequestError } from '../common/errors.js';
import type { ListTasks } from './list-tasks.dto.js';
import { ownTasks } from './task.owner.js';
import type { TaskQuery } from './task.store.js';

const META = 'meta.';
/** Each is one more look-up for every task that the others let through. */
const MAX_META_FILTERS = 32;

/** What the query of a request asks for. @param all the whole query, with its `meta.KEY` filters @throws InvalidRequestError */
export function toQuery(
  { status, droplet_name, created_after, created_before, cursor, limit }: ListTasks,
  all: Record<string, unknown>,
  identity: Identity,
): TaskQuery {
  const filters = { status, dropletName: droplet_name, createdAfter: created_after, createdBefore: created_before, cursor };
  const given = Object.entries(filters).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), ...ownTasks(identity), meta: metaFilters(all), limit };
}

function metaFilters(all: Record<string, unknown>): Record<string, string> {
  const given = Object.entries(all).filter(([name]) => name.startsWith(META));
  if (given.length > MAX_META_FILTERS) throw InvalidRequestError.of('meta', `may hold at most ${MAX_META_FILTERS} filters`);
  const filters = given.map(([name, value]) => {
    if (typeof value !== 'string') throw InvalidRequestError.of(name, 'may be given only once');
    return [name.slice(META.length), value] as const;
  });
  return Object.fromEntries(filters);
}
