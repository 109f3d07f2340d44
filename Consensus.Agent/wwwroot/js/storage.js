// What one tab keeps until it is closed. A browser may deny storage to a page in another site's frame.
// The values then last as long as the page.

const storage = () => {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
};
const values = new Map();

export const stored = (name) => storage()?.getItem(name) ?? values.get(name) ?? null;

/** @param {string} value '' removes the stored value */
export function store(name, value) {
  if (value) storage()?.setItem(name, value);
  else storage()?.removeItem(name);
  if (!storage()) values.set(name, value || null);
}
