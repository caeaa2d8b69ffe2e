import CliTable from 'cli-table3';
import stringWidth from 'string-width';

/** A column: its head, and whether its cells may be cut where the terminal is narrow. */
export interface Column {
  readonly head: string;
  readonly mayBeCut?: boolean;
}

const GAP = 2;
const LEAST_WIDTH = 8;

/** Rows below their heads, in columns without lines. @param width of the terminal; without it nothing is cut */
export function tableText(columns: readonly Column[], rows: readonly (readonly string[])[], width?: number): string {
  const table = new CliTable({
    head: columns.map(({ head }) => head),
    colWidths: columnWidths(columns, rows, width ?? Infinity).map((each) => each + GAP),
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': GAP, head: [], border: [], compact: true },
  });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** What each column needs; where that is too much, the widest that may be cut give way. */
function columnWidths(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): number[] {
  const widths = columns.map(({ head }, index) =>
    Math.max(...[head, ...rows.map((row) => row[index] ?? '')].map((cell) => stringWidth(cell))),
  );
  let excess = widths.reduce((sum, each) => sum + each + GAP, 0) - width;
  while (excess > 0) {
    const most = Math.max(...widths.filter((_width, index) => columns[index]?.mayBeCut));
    if (!(most > LEAST_WIDTH)) break;
    const index = widths.findIndex((each, at) => each === most && columns[at]?.mayBeCut);
    widths[index] = most - 1;
    excess -= 1;
  }
  return widths;
}

const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((part) => [part, '']),
);
