import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Knows every route, so that a path that exists under other methods is answered 405 instead of 404. */
export class RouteTable {
  private readonly methods = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();

  /** Must be made before the routes are. */
  constructor(fastify: FastifyInstance) {
    fastify.addHook('onRoute', ({ url, method }) => {
      const entry = this.methods.get(url) ?? { pattern: patternOf(url), methods: new Set() };
      for (const name of [method].flat()) entry.methods.add(name);
      this.methods.set(url, entry);
    });
  }

  /** The methods that the path has a route for. */
  allowed(path: string): string[] {
    const matching = [...this.methods.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(matching.flatMap(({ methods }) => [...methods]))].sort();
  }
}

/** The pattern of the route that took a request: a label that is bounded, unlike the path. */
export const routeOf = (request: FastifyRequest): string => request.routeOptions.url ?? 'none';

function patternOf(route: string): RegExp {
  const source = route.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z]+/g, '[^/]+');
  return new RegExp(`^${source}/?$`);
}
