import { Body, Controller, Get, Header, HttpCode, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Public, Requires } from '../common/access.js';
import { Clock } from '../common/clock.js';
import { stringifyWith } from '../common/json.js';
import { iso } from '../common/time.js';
import { ValidBody } from '../inbound/valid.js';
import { Message, Send } from './message.dto.js';
import { MessageService } from './message.service.js';
import { SendService } from './send.service.js';

/** Messages from and to other services; contract §3. */
@Controller()
export class MessageController {
  constructor(
    private readonly messages: MessageService,
    private readonly sender: SendService,
    private readonly clock: Clock,
  ) {}

  @Post('message')
  @Requires('tasks:write')
  @HttpCode(200)
  @Header('content-type', 'application/json; charset=utf-8')
  async receive(@Body(new ValidBody(Message)) message: Message, @Req() request: FastifyRequest): Promise<string> {
    const { result, data } = await this.messages.receive(message, request);
    return stringifyWith({ received: true, trace_id: message.trace_id, processed_at: iso(this.clock.now()), result }, { data });
  }

  @Post('send')
  @Requires('tasks:write')
  @HttpCode(200)
  send(@Body(new ValidBody(Send)) message: Send, @Req() request: FastifyRequest) {
    return this.sender.send(message, request);
  }

  @Get('message')
  @Public()
  describeMessage() {
    return { endpoint: 'message', method: 'POST', description: 'Takes a message from another droplet' };
  }

  @Get('send')
  @Public()
  describeSend() {
    return { endpoint: 'send', method: 'POST', description: "Delivers a message to another droplet's /message" };
  }
}
