import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A route as its controller declares it. */
export interface DeclaredRoute {
  readonly method: string;
  readonly path: string;
  /** What the decorator right below says of its callers; null when there is none. */
  readonly access: string | null;
}

const CONTROLLER = /@Controller\((?:'([^']*)')?\)/;
const ROUTE = /^ {2}@(Get|Post|Put|Patch|Delete|All|Head|Options)\((?:'([^']*)')?\)\n {2}@?(.*)$/gm;
const ACCESS = /^(?:(Public|PublicAsMetrics)\(\)|Requires\('([^']+)'\))$/;

/** Every route of the source. */
export function declaredRoutes(root: string): DeclaredRoute[] {
  const files = globSync('src/**/*.controller.ts', { cwd: root });
  return files.flatMap((file) => {
    const text = readFileSync(path.join(root, file), 'utf8');
    const base = CONTROLLER.exec(text)?.[1] ?? '';
    return [...text.matchAll(ROUTE)].map(([, method = '', own = '', below = '']) => {
      const [, isPublic, scope] = ACCESS.exec(below) ?? [];
      const url = `/${[base, own].filter((part) => part !== '').join('/')}`;
      return { method: method.toUpperCase(), path: url, access: scope ?? isPublic ?? null };
    });
  });
}
