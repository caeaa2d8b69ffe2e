// What `npm test` tries at random, as often as docs/reliability.md says.
import { targetUrlContract } from '../contracts/target.url.contract.js';
import { taskMachineContract } from '../contracts/task.machine.contract.js';

taskMachineContract(10_000);
targetUrlContract(1_000_000);
