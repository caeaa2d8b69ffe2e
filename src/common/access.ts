import { RouteConfig } from '@nestjs/platform-fastify';

export const SCOPES = ['tasks:write', 'tasks:read', 'droplets:read', 'droplets:write', 'admin'] as const;

/** What a caller may do; contract §7. Who holds `admin` holds them all. */
export type Scope = (typeof SCOPES)[number];

/** What a route asks of its caller: nothing, some key where METRICS_PUBLIC is false, or a scope. */
export type Access = 'nothing' | 'metrics' | Scope;

/** Who asks. */
export interface Identity {
  /** Unique among callers; empty where callers have no names. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** The droplets that may be called, in lower case; null for all. */
  readonly droplets: readonly string[] | null;
  /** May see and change the tasks of others. */
  readonly isAdmin: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; on a public route, nobody in particular. */
    identity: Identity;
  }
  interface FastifyContextConfig {
    access?: Access;
  }
}

/** Everybody, where callers have no names: AUTH_MODE=none. */
export const ANYBODY: Identity = { name: '', scopes: SCOPES, droplets: null, isAdmin: true };

/** Whoever asks for a public page. */
export const NOBODY: Identity = { name: '', scopes: [], droplets: [], isAdmin: false };

/** The route asks nobody for anything. */
export const Public = (): MethodDecorator => RouteConfig({ access: 'nothing' });

/** The route is public, unless METRICS_PUBLIC is false: then it asks for any key. */
export const PublicAsMetrics = (): MethodDecorator => RouteConfig({ access: 'metrics' });

/** The route asks for a caller who holds the scope. */
export const Requires = (scope: Scope): MethodDecorator => RouteConfig({ access: scope });

export const holds = ({ scopes, isAdmin }: Identity, scope: Scope): boolean => isAdmin || scopes.includes(scope);

/** True when the caller may have the droplet called; names count without regard to case. */
export const mayCall = ({ droplets }: Identity, name: string): boolean =>
  droplets === null || droplets.includes(name.toLowerCase());
