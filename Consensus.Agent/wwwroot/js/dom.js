// Small helpers to build elements. Nothing here sets a style attribute: the page's policy forbids inline styles.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'disabled' || name === 'checked' || name === 'hidden') element[name] = value;
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const html = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

export const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

export const byId = (id) => document.getElementById(id);

/** A time in ms as a person reads it. */
export function duration(ms) {
  if (ms < 0.095) return `${Math.round(ms * 1000)} µs`;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 99_500) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.round(ms / 60_000)} min`;
}

export const plural = (n, one, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** "a", "a and b", "a, b and c". */
export const list = (words) => words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

/** The class that colours a value; values beyond the palette share its colours, the number is always written too. */
export const hue = (value) => value ? `v${(value - 1) % 8}` : 'v-none';

/** A value as a small chip. */
export const chip = (value, title) => html('span', { class: `chip ${hue(value)}`, title }, value ? String(value) : '–');

/** Runs at most once a frame. */
export function eachFrame(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; work(); });
  };
}

/** Does what a button asks for, once at a time. A disabled button would lose the focus, so it only says that it is busy. */
export async function onceAtATime(buttons, work) {
  if (buttons.some((button) => button.ariaDisabled === 'true')) return;
  for (const button of buttons) button.ariaDisabled = 'true';
  try {
    await work();
  } finally {
    for (const button of buttons) button.ariaDisabled = null;
  }
}

/** Hands a parent its children, unless they are the ones it has: whoever is put in again loses the focus. */
export function arrange(parent, children) {
  if (children.length !== parent.children.length || children.some((child, index) => child !== parent.children[index])) parent.replaceChildren(...children);
}

/**
 * Follows each press of the main button on an element to its end, wherever that is. The end may never be told, as where a
 * menu opened over it; a pointer that moves without a button tells it then.
 * @param {(event: PointerEvent) => {moved?: (event: PointerEvent) => void, ended?: () => void}} begun
 */
export function onPress(element, begun) {
  element.addEventListener('pointerdown', (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    const { moved, ended } = begun(event);
    const over = new AbortController();
    const end = () => {
      over.abort();
      ended?.();
    };
    const { signal } = over;
    addEventListener('pointermove', (next) => { if (next.buttons) moved?.(next); else end(); }, { signal });
    addEventListener('pointerup', end, { signal });
    addEventListener('pointercancel', end, { signal });
  });
}
