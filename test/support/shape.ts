/** What an answer says that a page must say too, to the letter; anything else may be another the next time. */
const TOLD = new Set([
  ...['status', 'response_status', 'response_body', 'retry_count', 'attempts', 'recorded'],
  ...['code', 'effect', 'stopped_by', 'sent'],
]);

/** A value with every text, number and null in it made one, but for those that a reader relies on. */
export function shapeOf(value: unknown, key = ''): unknown {
  if (TOLD.has(key)) return value;
  if (Array.isArray(value)) return value.slice(0, 1).map((member) => shapeOf(member));
  if (typeof value !== 'object' || value === null) return 'a value';
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member, name)]));
}
