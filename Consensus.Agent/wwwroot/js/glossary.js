// The glossary of the documentation, docs/glossary.md, which the agent serves as an asset of the page.

const ENTRY = /^- ((?:\*\*[^*]+\*\*(?:, )?)+): (.+)$/;

let loading;

/** All entries by term. Reads the file once; a failed read is tried again at the next call. @returns {Promise<Map<string, Entry>>} */
export function loadGlossary() {
  loading ??= read().catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

/** One entry: all its terms, and its text in Markdown. @typedef {{terms: string[], text: string}} Entry */

async function read() {
  const response = await fetch('glossary.md');
  if (!response.ok) throw new TypeError(`The agent responded with status ${response.status}.`);
  const entries = new Map();
  for (const line of (await response.text()).split(/\r?\n/)) {
    const match = ENTRY.exec(line);
    if (!match) continue;
    const terms = match[1].split(', ').map((term) => term.slice(2, -2));
    for (const term of terms) entries.set(term, { terms, text: match[2] });
  }
  return entries;
}
