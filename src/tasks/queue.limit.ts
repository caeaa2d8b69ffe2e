import { OverloadedError } from '../common/errors.js';
import type { Settings } from '../config/settings.js';
import type { TaskQueue } from './task.queue.js';

/** False when so many more tasks would be more than QUEUE_LIMIT. */
export const hasRoom = ({ size }: TaskQueue, { QUEUE_LIMIT }: Settings, more = 1): boolean => size + more <= QUEUE_LIMIT;

/** @throws OverloadedError when so many more tasks would be more than QUEUE_LIMIT */
export function refuseIfFull(queue: TaskQueue, settings: Settings, more = 1): void {
  if (hasRoom(queue, settings, more)) return;
  throw new OverloadedError(`The queue holds its limit of ${settings.QUEUE_LIMIT} tasks`);
}
