import { Injectable } from '@nestjs/common';
import { OrchestratorError, TaskNotFoundError } from '../common/errors.js';
import { Log } from '../common/log.js';
import type { JsonObject } from '../common/json.js';
import { HealthService } from '../health/health.service.js';
import { DropletDirectory } from '../registry/droplet.directory.js';
import { dropletView } from '../registry/droplet.view.js';
import { TaskService } from '../tasks/task.service.js';
import { recordText } from '../tasks/task.view.js';
import type { Message } from './message.dto.js';

/** What came of a message. */
export interface MessageResult {
  readonly result: 'success' | 'queued' | 'error';
  /** JSON text. */
  readonly data: string;
}

/** Acts on the messages of other services; contract §3. */
@Injectable()
export class MessageService {
  constructor(
    private readonly tasks: TaskService,
    private readonly directory: DropletDirectory,
    private readonly health: HealthService,
    private readonly log: Log,
  ) {}

  async receive(message: Message, requestId: string): Promise<MessageResult> {
    const { trace_id, source, message_type } = message;
    this.log.info({ request_id: requestId, trace_id, source, message_type }, 'message received');
    try {
      return await this.act(message);
    } catch (error) {
      if (!(error instanceof OrchestratorError)) throw error;
      return failed(error.code, error.message);
    }
  }

  private async act({ message_type, payload = {} }: Message): Promise<MessageResult> {
    switch (message_type) {
      case 'query':
        return this.answer(payload);
      case 'command':
        return failed('UNKNOWN_COMMAND', `Unknown command '${String(payload.command)}'`);
      default:
        return { result: 'success', data: 'null' };
    }
  }

  private async answer(payload: JsonObject): Promise<MessageResult> {
    switch (payload.query) {
      case 'task_status':
        return { result: 'success', data: recordText(await this.tasks.get(taskIdOf(payload))) };
      case 'droplet_list':
        return { result: 'success', data: JSON.stringify({ droplets: (await this.directory.list()).droplets.map(dropletView) }) };
      case 'system_status':
        return { result: 'success', data: JSON.stringify(this.health.page()) };
      default:
        return failed('UNKNOWN_QUERY', `Unknown query '${String(payload.query)}'`);
    }
  }
}

function taskIdOf(payload: JsonObject): string {
  const id = payload.task_id;
  if (typeof id !== 'string') throw new TaskNotFoundError(String(id));
  return id;
}

function failed(code: string, message: string): MessageResult {
  return { result: 'error', data: JSON.stringify({ code, message }) };
}
