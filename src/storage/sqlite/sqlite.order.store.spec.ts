import { orderStoreContract } from '../../../test/contracts/order.store.contract.js';
import { openSqlite } from '../../../test/support/sqlite.js';

orderStoreContract('SQLite', () => {
  const { orders: store, close } = openSqlite();
  return { store, close };
});
