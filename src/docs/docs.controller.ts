import { Controller, Get, Req, Res } from '@nestjs/common';
import { readFileSync } from 'node:fs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../common/access.js';
import { docsPage, PAGE_HEADERS, type OpenApiDocument } from './docs.page.js';
import { StaticFile } from '../inbound/static.file.js';

const DOCUMENT = new URL('../../openapi.json', import.meta.url);

/** The OpenAPI document, as it was committed, and as a page. Both are read when somebody first asks, not at the start. */
@Controller()
export class DocsController {
  private json: StaticFile | null = null;
  private html: StaticFile | null = null;

  @Get('openapi.json')
  @Public()
  document(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.json ??= new StaticFile(readFileSync(DOCUMENT), { 'content-type': 'application/json; charset=utf-8' });
    this.json.answer(request, reply);
  }

  @Get('docs')
  @Public()
  page(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.html ??= new StaticFile(Buffer.from(docsPage(readDocument())), PAGE_HEADERS);
    this.html.answer(request, reply);
  }
}

const readDocument = (): OpenApiDocument => JSON.parse(readFileSync(DOCUMENT, 'utf8')) as OpenApiDocument;
