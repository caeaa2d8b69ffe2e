/** A metric as the text format tells of it. */
export interface MetricFamily {
  readonly type: string;
  /** The names of its labels but `le`, sorted. */
  readonly labels: readonly string[];
  /** How many series it has. */
  readonly series: number;
}

/** The metrics of a text in Prometheus' format, by name. */
export function familiesOf(text: string): Map<string, MetricFamily> {
  const lines = text.split('\n');
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  return new Map(types.map(([, name = '', type = '']) => [name, familyOf(name, type, lines)]));
}

function familyOf(name: string, type: string, lines: readonly string[]): MetricFamily {
  const suffix = type === 'histogram' ? '(?:_bucket|_sum|_count)' : '';
  const own = new RegExp(`^${name}${suffix}(?:\\{(.*)\\})? `);
  const series = lines.flatMap((line) => {
    const found = own.exec(line);
    return found ? [found[1] ?? ''] : [];
  });
  const labels = new Set(series.flatMap((each) => [...each.matchAll(/(\w+)="/g)].map(([, label = '']) => label)));
  labels.delete('le');
  return { type, labels: [...labels].sort(), series: series.length };
}

/** The value of one series as it stands in the text; undefined when it is not there. */
export function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

/** The names of metrics in a PromQL expression. */
export const metricsIn = (expression: string): string[] => [
  ...new Set([...expression.matchAll(/\b(?:orchestrator|nodejs|process)_\w+/g)].map(([name]) => name)),
];

/** The labels that an expression asks the orchestrator's metrics for; those of the scrape are left out. */
export const selectorsIn = (expression: string): { metric: string; labels: string[] }[] =>
  [...expression.matchAll(/\b(orchestrator_\w+)\{([^}]*)\}/g)].map(([, metric = '', inner = '']) => ({
    metric,
    labels: [...inner.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label).filter((label) => label !== 'instance'),
  }));
