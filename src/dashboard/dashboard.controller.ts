import { Controller, Get, NotFoundException, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../common/access.js';
import type { StaticFile } from '../inbound/static.file.js';
import { pageDocument, pageFiles } from './dashboard.page.js';

/** The page for operators. It is public; what it shows, it asks the API for with the reader's key. */
@Controller('dashboard')
export class DashboardController {
  private readonly documents = new Map<string, StaticFile>();
  private files: ReadonlyMap<string, StaticFile> | null = null;

  @Get()
  @Public()
  page(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    // A browser goes from the last slash of the address, which a proxy may have shortened at its other end.
    const base = /^[^?]*\/(\?|$)/.test(request.originalUrl) ? '' : 'dashboard/';
    const document = this.documents.get(base) ?? pageDocument(base);
    this.documents.set(base, document);
    document.answer(request, reply);
  }

  @Get(':file')
  @Public()
  file(@Param('file') name: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.files ??= pageFiles();
    const file = this.files.get(name);
    if (!file) throw new NotFoundException('The page has no such file');
    file.answer(request, reply);
  }
}
