import { describe, expect, it } from '@jest/globals';
import { board, type GrafanaPanel } from './support/grafana.js';

/** Those of Grafana's units that ours need; one that it does not know is shown behind the number as it is written. */
const UNITS = ['none', 'short', 'percent', 'percentunit', 'bool_yes_no', 's', 'ms', 'bytes', 'ops', 'reqps'];
/** Panels that every Grafana brings along. */
const KINDS = ['row', 'stat', 'timeseries'];
/** Of Grafana 8.3, from which on a data source is named by type and uid, to 12. */
const SCHEMAS = { first: 34, last: 42 };

const { schemaVersion, panels, templating } = board();
const plots = panels.filter(({ type }) => type !== 'row');
const SOURCE = { type: 'prometheus', uid: '${datasource}' };

const cellsOf = ({ gridPos: { x, y, w, h } }: GrafanaPanel): string[] =>
  Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`);

describe('the dashboard for Grafana', () => {
  it('is of a schema that Grafana takes as it is, or moves on', () => {
    expect(schemaVersion).toBeGreaterThanOrEqual(SCHEMAS.first);
    expect(schemaVersion).toBeLessThanOrEqual(SCHEMAS.last);
  });

  it('has the rows that one looks for', () => {
    const rows = panels.filter(({ type }) => type === 'row');
    expect(rows.map(({ title }) => title)).toEqual(['Is it well?', 'Callers', 'Droplets', 'Queue', 'Store', 'Process']);
    // An open row's panels stand beside it, a closed one's in it.
    expect(rows.filter(({ collapsed, panels }) => collapsed !== false || panels?.length !== 0)).toEqual([]);
    expect(rows.filter(({ gridPos: { x, w, h } }) => x !== 0 || w !== 24 || h !== 1)).toEqual([]);
  });

  it('has panels that there are in every Grafana, with ids and titles of their own', () => {
    expect(panels.filter(({ type, id }) => !KINDS.includes(type) || !Number.isInteger(id) || id < 1)).toEqual([]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(plots.map(({ title }) => title)).size).toBe(plots.length);
  });

  it('has panels that lie in the grid of 24 columns, none over another', () => {
    const outside = panels.filter(({ gridPos: { x, y, w, h } }) => x < 0 || y < 0 || w < 1 || h < 1 || x + w > 24);
    expect(outside).toEqual([]);
    const cells = panels.flatMap(cellsOf);
    expect(new Set(cells).size).toBe(cells.length);
  });

  it('has the variables that the expressions name, and no other', () => {
    const [source, ...chosen] = templating.list;
    expect(source).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    expect(chosen.map(({ name }) => name)).toEqual(['droplet', 'instance']);
    for (const each of chosen) expect(each).toMatchObject({ type: 'query', multi: true, includeAll: true, datasource: SOURCE });
    const named = plots.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => expr.match(/\$\w+/g) ?? []));
    expect([...new Set(named)].sort()).toEqual(['$__rate_interval', '$droplet', '$instance']);
  });

  it.each(plots.map((plot) => [plot.title, plot] as const))('has “%s” ask the chosen data source', (_title, plot) => {
    const { datasource, targets = [] } = plot;
    expect(targets.length).toBeGreaterThan(0);
    for (const source of [datasource, ...targets.map((each) => each.datasource)]) expect(source).toEqual(SOURCE);
    expect(targets.map(({ refId }) => refId)).toEqual(['A', 'B', 'C'].slice(0, targets.length));
    // Several values are chosen at once: they are alternatives of a regex, for the chosen replicas alone.
    for (const { expr } of targets) {
      expect(expr).toMatch(/instance=~"\$instance"/);
      expect(expr.replaceAll(/\w+=~"\$(droplet|instance)"/g, '')).not.toMatch(/\$(droplet|instance)/);
    }
  });

  it.each(plots.map((plot) => [plot.title, plot] as const))('has “%s” show it in a unit that Grafana knows', (_title, plot) => {
    const { unit, thresholds } = plot.fieldConfig?.defaults ?? {};
    expect(UNITS).toContain(unit);
    const [lowest = null, ...steps] = thresholds?.steps.map(({ value }) => value) ?? [];
    expect(lowest).toBeNull();
    expect(steps).toEqual(steps.toSorted((a, b) => Number(a) - Number(b)));
  });
});
