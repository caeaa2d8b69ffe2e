import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Log } from '../common/log.js';
import { routeOf } from '../inbound/route.table.js';

const READS = ['GET', 'HEAD', 'OPTIONS'];
const REFUSALS = [401, 403, 429];

/** Tells the log who has written what, and who was refused: a line each, with the route, never its parameters or query. */
@Injectable()
export class Audit {
  constructor(private readonly log: Log) {}

  answered(request: FastifyRequest, { statusCode: status }: FastifyReply): void {
    const { method, id, identity } = request;
    const isRefusal = REFUSALS.includes(status);
    if (!isRefusal && READS.includes(method)) return;
    const line = { caller: identity.name === '' ? null : identity.name, method, route: routeOf(request), status, request_id: id };
    if (isRefusal) this.log.warn(line, 'audit: refused');
    else this.log.info(line, 'audit: write');
  }
}
