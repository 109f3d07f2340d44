// The address of the page: it names what is shown, so that a link shows the same. Only this module reads and writes it. All
// addresses are relative, so that the page also works behind a proxy's path.

// Browsers refuse an address that changes many times a second, as it would while a run plays.
const DELAY_MS = 300;

/** The ways to look at the page: for a picture in another page or slide, and for a talk. */
const LOOKS = ['embed', 'present'];

// These tabs have a path. The live run is at the root, and simulated runs are behind its #simulate.
const PATHS = ['learn', 'explore'];

// A frame adds nothing to the history of the page that frames it.
const framed = window !== window.parent;

const latest = new Map();
let pending;

/** What the address names: a tab and its parameters. */
export function readAddress() {
  const page = location.pathname.slice(location.pathname.lastIndexOf('/') + 1).toLowerCase();
  const [name, ...named] = location.hash.slice(1).split('?');
  if (PATHS.includes(page)) return { tab: page, query: new URLSearchParams(location.search) };
  return name === 'simulate'
    ? { tab: name, query: new URLSearchParams(named.join('?')) } : { tab: 'live', query: new URLSearchParams(location.search) };
}

/** Whether the address asked to start a run. */
export const asksForRun = /\/run\/*$/i.test(location.pathname);

for (const look of LOOKS) document.body.classList.toggle(look, new URLSearchParams(location.search).has(look));

const looks = () => LOOKS.filter((look) => document.body.classList.contains(look));

const after = (separator, parts) => parts.filter(Boolean).length ? separator + parts.filter(Boolean).join('&') : '';

/** The address of a tab. @param {string} tab @param {[string, string][]} entries its parameters */
export function addressOf(tab, entries = []) {
  const named = new URLSearchParams(entries).toString();
  if (tab === 'simulate') return `./${after('?', looks())}#simulate${after('?', [named])}`;
  return `${tab === 'live' ? './' : tab}${after('?', [named, ...looks()])}`;
}

/**
 * Names what is shown now. A person's step adds an entry to the browser's history; an arrival only gets its canonical address.
 * @param {string} tab @param {[string, string][]} entries @param {boolean} isStep whether a person took a step
 */
export function showAddress(tab, entries, isStep = false) {
  if (pending?.tab === tab) cancel();
  const next = new URL(addressOf(tab, entries), location.href).href;
  latest.set(tab, next);
  const link = document.getElementById(`tab-${tab}`);
  if (link) link.href = next;
  if (next === location.href || readAddress().tab !== tab) return;
  if (isStep && !framed) history.pushState(null, '', next);
  else history.replaceState(null, '', next);
}

/** Names what is shown soon, unless another call follows. */
export function showAddressSoon(tab, entries) {
  flush(pending?.tab !== tab);
  pending = { tab, entries, timer: setTimeout(flush, DELAY_MS) };
}

/** Names what waits to be named. @param {boolean} [isWanted] false drops it */
function flush(isWanted = true) {
  if (!pending) return;
  const { tab, entries } = pending;
  cancel();
  if (isWanted) showAddress(tab, entries);
}

function cancel() {
  clearTimeout(pending.timer);
  pending = undefined;
}

/** Goes to a tab, which shows again what it showed last. */
export function goToTab(tab) {
  flush();
  const next = latest.get(tab) ?? new URL(addressOf(tab), location.href).href;
  if (next !== location.href) history.pushState(null, '', next);
}

/** The full address of what a tab shows without the page's controls hidden: what a link from a frame opens. */
export function fullAddress() {
  const address = new URL(location.href);
  address.search = address.search.slice(1).split('&').filter((part) => !LOOKS.includes(part.split('=')[0])).join('&');
  return address.href;
}

/** A step in an address; undefined where there is none. */
export const stepOf = (text) => /^\d+$/.test(text ?? '') ? Number(text) : undefined;
