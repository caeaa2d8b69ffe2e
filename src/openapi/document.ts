import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { AppModule } from '../app.module.js';
import { parseSettings } from '../config/settings.js';
import { VERSION } from '../config/version.js';
import { components } from './components.js';
import { INFO, TAGS } from './info.js';
import { completeOperation, type Bare } from './complete.operation.js';
import { described } from './described.js';
import { WEBHOOKS } from './webhooks.js';
import type { Schema } from './schema.js';

type Methods = Record<string, Bare>;

/** The OpenAPI document of the application: routes, limits, access and statuses from the code, the words from this folder. */
export async function buildDocument(): Promise<Schema> {
  const paths = completePaths(await bareDocument());
  return {
    openapi: '3.1.1',
    info: { ...INFO, version: VERSION },
    servers: [{ url: '/', description: 'The orchestrator that serves this document' }],
    tags: TAGS,
    paths,
    webhooks: WEBHOOKS,
    components: components(JSON.stringify([paths, WEBHOOKS])),
  };
}

/** The routes as Nest knows them. A preview makes no provider: nothing is opened or called. */
async function bareDocument(): Promise<OpenAPIObject> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.with(parseSettings({})), new FastifyAdapter(), {
    preview: true,
    logger: false,
    abortOnError: false,
  });
  app.setGlobalPrefix('orchestrator');
  const operationIdFactory = (controller: string, method: string): string => `${controller}.${method}`;
  return SwaggerModule.createDocument(app, new DocumentBuilder().build(), { operationIdFactory });
}

/** @throws Error for a route that nothing is said of */
function completePaths({ paths }: OpenAPIObject): Schema {
  const known = described();
  const complete = Object.entries(paths).map(([path, methods]) => {
    const operations = Object.entries(methods as Methods).map(([method, bare]) => {
      const found = known.get(bare.operationId);
      if (!found)
        throw new Error(`${method.toUpperCase()} ${path} is not described: say in src/openapi what ${bare.operationId} does`);
      return [method, completeOperation(path, bare, found)] as const;
    });
    return [path, Object.fromEntries(operations)] as const;
  });
  return Object.fromEntries(complete);
}
