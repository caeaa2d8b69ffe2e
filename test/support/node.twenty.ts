import { execFileSync } from 'node:child_process';

/** The machine's own Node, when it is of the oldest line that the command line and the client are for. */
export function nodeTwenty(): string | null {
  for (const node of ['/usr/bin/node', '/usr/local/bin/node']) {
    try {
      if (execFileSync(node, ['--version'], { encoding: 'utf8' }).startsWith('v20.')) return node;
    } catch {
      // There is none.
    }
  }
  return null;
}

/** Says loudly that something was not tested. */
export const sayUntested = (what: string): void => console.warn(`NODE 20 IS NOT AT HAND: ${what} WAS NOT TESTED WITH IT`);
