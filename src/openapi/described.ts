import type { Access } from '../common/access.js';
import { DROPLET_ROUTES } from './droplet.routes.js';
import { HEALTH_ROUTES } from './health.routes.js';
import { MESSAGE_ROUTES } from './message.routes.js';
import { METRICS_ROUTES } from './metrics.routes.js';
import type { Described, Operation } from './operation.js';
import { REGISTRY_ROUTES } from './registry.routes.js';
import { SERVICE_ROUTES } from './service.routes.js';
import { TASK_ROUTES } from './task.routes.js';

/** Under which name Nest keeps what `RouteConfig` says of a handler. */
const ROUTE_CONFIG = '__fastify_route_config__';

/** What is said of a route, and what its decorator says of its callers. */
export interface Route {
  readonly operation: Operation;
  readonly access: Access;
}

const ALL: readonly Described[] = [
  ...[...TASK_ROUTES, ...DROPLET_ROUTES, ...REGISTRY_ROUTES, ...MESSAGE_ROUTES],
  ...[...HEALTH_ROUTES, ...METRICS_ROUTES, ...SERVICE_ROUTES],
];

/** Every route by `Controller.method`. */
export function described(): ReadonlyMap<string, Route> {
  const routes = ALL.flatMap(({ Controller, operations }) =>
    Object.entries(operations).map(([method, operation]) => {
      const handler = Reflect.get(Controller.prototype as object, method) as object;
      const { access } = Reflect.getMetadata(ROUTE_CONFIG, handler) as { access: Access };
      return [`${Controller.name}.${method}`, { operation, access }] as const;
    }),
  );
  return new Map(routes);
}
