const KEY = 'orchestrator-key';

/** The API key, for as long as the tab is open; never part of an address. */
export const session = {
  get key() {
    return read();
  },

  /** @param {string} key */
  keep(key) {
    try {
      sessionStorage.setItem(KEY, key);
    } catch {
      // A browser that stores nothing still works until the page is left.
    }
    held = key;
  },

  forget() {
    held = '';
    try {
      sessionStorage.removeItem(KEY);
    } catch {
      // Where nothing is stored there is nothing to remove.
    }
  },
};

let held = '';

function read() {
  try {
    return sessionStorage.getItem(KEY) ?? held;
  } catch {
    return held;
  }
}
