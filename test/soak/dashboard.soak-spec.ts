// What `npm test` looks at for a minute.
import { livePageContract } from '../contracts/live.page.contract.js';

livePageContract(10);
