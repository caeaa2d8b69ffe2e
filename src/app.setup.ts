import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { AuthGuard } from './auth/auth.guard.js';
import { Clock } from './common/clock.js';
import { Log, NestLog } from './common/log.js';
import type { Settings } from './config/settings.js';
import { useJsonBodies } from './inbound/body.parser.js';
import { ClientErrors } from './inbound/client.errors.js';
import { ErrorFilter } from './inbound/error.filter.js';
import { useRequestHooks } from './inbound/request.hooks.js';
import { useRequestSpans } from './inbound/request.spans.js';
import { RouteTable } from './inbound/route.table.js';
import { serverOptions } from './inbound/server.options.js';
import { Metrics } from './metrics/metrics.js';
import { RequestCounter } from './metrics/request.counter.js';
import { Tracing } from './tracing/tracing.js';

/** The application, complete but for the port: what main, the tests and the OpenAPI script share. */
export async function createApp(settings: Settings): Promise<NestFastifyApplication> {
  // The server is made before the application, so what Fastify itself refuses finds the filter by this name.
  let badUrl: ErrorFilter['refuse'] = () => undefined;
  const clientErrors = new ClientErrors();
  const options = serverOptions(settings, { badUrl: (...failed) => badUrl(...failed), clientErrors });
  const adapter = new FastifyAdapter({ ...options, skipMiddie: true });
  const fastify = adapter.getInstance();
  clientErrors.watch(fastify.server);
  const routes = new RouteTable(fastify);
  useJsonBodies(fastify, settings);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.with(settings), adapter, {
    bodyParser: false,
    // What fails before the log is there is thrown, and told once by who called.
    logger: false,
    abortOnError: false,
  });
  const log = app.get(Log);
  const metrics = app.get(Metrics);
  app.useLogger(new NestLog(log));
  const filter = new ErrorFilter(routes, app.get(Clock), log, metrics);
  badUrl = filter.refuse.bind(filter);
  app.useGlobalFilters(filter);
  const { spans } = app.get(Tracing);
  if (spans) useRequestSpans(fastify, spans);
  useRequestHooks(fastify, { log, metrics, counter: app.get(RequestCounter) });
  app.get(AuthGuard).watch(fastify);
  return app.init();
}
