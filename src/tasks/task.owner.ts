import { mayCall, type Identity } from '../common/access.js';
import type { TaskRecord } from './task.js';

/** True when the caller may see and change the task: its own, and those of everybody for an administrator; contract §7. */
export const isVisible = ({ caller }: TaskRecord, { name, isAdmin }: Identity): boolean => isAdmin || caller === name;

/** The filter of a list that shows the caller no more than that. */
export const ownTasks = ({ name, isAdmin }: Identity): { readonly caller?: string } => (isAdmin ? {} : { caller: name });

/** True when the caller may have the task's droplet called, now that it is to run again. */
export const mayRunAgain = ({ dropletName }: TaskRecord, identity: Identity): boolean => mayCall(identity, dropletName);
