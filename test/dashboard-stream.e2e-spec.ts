import { livePageContract } from './contracts/live.page.contract.js';

livePageContract(1);
