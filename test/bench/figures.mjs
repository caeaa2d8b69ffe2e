// How the benches show what they measured: the median of the rounds, and their range.
export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** A row of the table for one figure of each round. */
export function row(rounds, { title, name, unit = '/s', share = '', target = '' }) {
  const all = rounds.map((figures) => figures[name]);
  const text = (value) => value.toFixed(unit === 'ms' ? 1 : 0);
  return `| ${title} | ${text(median(all))} ${unit} | ${text(Math.min(...all))}–${text(Math.max(...all))} | ${share} | ${target} |`;
}
