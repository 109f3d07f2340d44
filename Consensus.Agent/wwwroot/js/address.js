// The address of the page: it names what is shown, so that a link shows the same.

// Browsers refuse an address that changes many times a second, as it would while a run plays.
const DELAY_MS = 300;

let timer;

/** The ways to look at the page: for a picture in another page or slide, and for a talk. */
export const LOOKS = ['embed', 'present'];

/** Those that the page has now, as parameters. */
export const looks = () => LOOKS.filter((look) => document.body.classList.contains(look)).map((look) => [look, '']);

/** Replaces the address soon, unless another call follows. @param {() => string | undefined} address undefined keeps the address */
export function replaceAddress(address) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const next = address();
    if (next !== undefined) history.replaceState(null, '', next);
  }, DELAY_MS);
}

/** The text of parameters after a separator; nothing without parameters. */
export const parameters = (separator, entries) => entries.length ? separator + new URLSearchParams(entries) : '';

/** A step in an address; undefined where there is none. */
export const stepOf = (text) => /^\d+$/.test(text ?? '') ? Number(text) : undefined;
