import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './process.js';

export interface GrafanaTarget {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: { readonly type: string; readonly uid: string };
}

export interface GrafanaPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly datasource?: GrafanaTarget['datasource'];
  readonly targets?: readonly GrafanaTarget[];
  readonly fieldConfig?: { readonly defaults: { readonly unit: string; readonly thresholds?: Thresholds } };
  readonly collapsed?: boolean;
  readonly panels?: readonly unknown[];
}

interface Thresholds {
  readonly steps: readonly { readonly value: number | null }[];
}

/** A variable that the board's reader chooses values of. */
interface Variable {
  readonly name: string;
  readonly type: string;
  readonly multi: boolean;
  readonly includeAll: boolean;
  readonly allValue?: string;
  readonly query: string | { readonly query: string };
}

export interface GrafanaBoard {
  readonly schemaVersion: number;
  readonly panels: readonly GrafanaPanel[];
  readonly templating: { readonly list: readonly Variable[] };
}

export const board = (): GrafanaBoard =>
  JSON.parse(readFileSync(path.join(ROOT, 'deploy/grafana/orchestrator.json'), 'utf8')) as GrafanaBoard;

/** What Grafana gives for a data source that is scraped every 15 s, and never less: four scrapes. */
const RATE_INTERVAL = '1m';

/** The values that are chosen of each variable; `All` for a variable that is not named. */
export type Choice = Readonly<Record<string, readonly string[]>>;

/** An expression as Grafana's data source for Prometheus sends it: chosen values escaped, several as alternatives. */
export function interpolated(expression: string, variables: readonly Variable[], choice: Choice): string {
  const values = new Map(variables.map(({ name, allValue }) => [name, regexOf(choice[name]) ?? allValue]));
  values.set('__rate_interval', RATE_INTERVAL);
  return expression.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (written, braced?: string, bare?: string) => {
    return values.get(braced ?? bare ?? '') ?? written;
  });
}

function regexOf(chosen: readonly string[] | undefined): string | undefined {
  const escaped = chosen?.map((value) => value.replaceAll('\\', '\\\\\\\\').replaceAll(/[$^*{}[\]'+?.()|]/g, '\\\\$&'));
  return escaped && escaped.length > 1 ? `(${escaped.join('|')})` : escaped?.[0];
}
