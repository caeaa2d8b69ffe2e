import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Requires } from '../common/access.js';
import { ValidQuery } from '../inbound/valid.js';
import { EventStream } from './event.stream.js';
import { ListTasks } from './list-tasks.dto.js';
import { matches } from './task.events.js';
import { toQuery } from './task.filters.js';

/** The changes of tasks as they happen; contract §2. */
@Controller('tasks/events')
export class EventsController {
  constructor(private readonly stream: EventStream) {}

  @Get()
  @Requires('tasks:read')
  follow(
    @Query(new ValidQuery(ListTasks)) query: ListTasks,
    @Query() all: Record<string, unknown>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    const filter = toQuery(query, all, request.identity);
    reply.hijack();
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-request-id': request.id,
    });
    // The head is all that a HEAD asks for: the stream would never end.
    if (request.method === 'HEAD') return void reply.raw.end();
    this.stream.start(request, reply, ({ task }) => matches(task, filter));
  }
}
