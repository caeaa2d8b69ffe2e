import type { DatabaseSync } from 'node:sqlite';
import type { TaskPage, TaskQuery } from '../../tasks/task.store.js';
import { hasFilters, pageOf } from '../task.page.js';
import type { SqliteTasks } from './sqlite.tasks.js';
import { countSql, leads, leadSql, pageSql, type Lead, type Sql } from './task.query.js';

/** How far the filters of a list are counted to see which is the shortest. */
const LONG_LEAD = 20_000;

/** Lists of tasks, read along the shortest of their filters. */
export class SqliteTaskLists {
  constructor(
    private readonly database: DatabaseSync,
    private readonly tasks: SqliteTasks,
  ) {}

  page(query: TaskQuery): TaskPage {
    const lead = this.shortest(query);
    const page = pageSql(query, lead);
    const ids = this.database
      .prepare(page.text)
      .all(...page.values)
      .map(({ id }) => String(id));
    const total = hasFilters(query) ? this.count(countSql(query, lead)) : this.tasks.stored;
    return pageOf(query, { ids, total, tasks: this.tasks.listed(ids.slice(0, query.limit)) });
  }

  private shortest(query: TaskQuery): Lead {
    const [first, ...others] = leads(query);
    if (others.length === 0) return first;
    let shortest: Lead = first;
    let length = LONG_LEAD;
    for (const lead of [first, ...others]) {
      const own = this.count(leadSql(query, lead, length));
      if (own < length) [shortest, length] = [lead, own];
    }
    return shortest;
  }

  private count({ text, values }: Sql): number {
    return Number(this.database.prepare(text).get(...values)?.total);
  }
}
