import { taskMachineContract } from '../../test/contracts/task.machine.contract.js';

taskMachineContract(3000);
