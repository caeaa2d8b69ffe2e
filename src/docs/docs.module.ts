import { Module } from '@nestjs/common';
import { DocsController } from './docs.controller.js';

/** The description of the service, for programs and for people. */
@Module({ controllers: [DocsController] })
export class DocsModule {}
