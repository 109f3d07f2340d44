// Helpers that build and update elements. They set no style attribute: the content security policy forbids inline styles.

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

/** A class for the colour of a value. Many values share a colour, so each value is also written as a number. */
export const valueClass = (value) => value ? `v${(value - 1) % 8}` : 'v-none';

/** A value as a small chip. */
export const chip = (value, title) => html('span', { class: `chip ${valueClass(value)}`, title }, value ? String(value) : '–');

/** Runs the work at most once a frame. */
export function oncePerFrame(work) {
  let scheduled = false;
  return () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => { scheduled = false; work(); });
  };
}

/** Runs the work unless one of the buttons is busy. `aria-disabled` marks a busy button: `disabled` would remove its focus. */
export async function whileBusy(buttons, work) {
  if (buttons.some((button) => button.ariaDisabled === 'true')) return;
  for (const button of buttons) button.ariaDisabled = 'true';
  try {
    await work();
  } finally {
    for (const button of buttons) button.ariaDisabled = null;
  }
}

/** Fills the fields of a form by their names. @returns {object} the values that a field cannot hold, for the agent to explain */
export function fillForm(form, values) {
  const refused = {};
  for (const [name, value] of Object.entries(values)) {
    const field = form.elements[name];
    if (!field) continue;
    field.value = value;
    if (field.value !== String(value) || !field.checkValidity()) refused[name] = value;
  }
  return refused;
}

/** Replaces the children of an element only if they differ: an element that is inserted again loses its focus. */
export function replaceIfChanged(parent, children) {
  const changed = children.length !== parent.children.length || children.some((child, index) => child !== parent.children[index]);
  if (changed) parent.replaceChildren(...children);
}

/**
 * Tracks each press of the primary button on an element until the press ends anywhere. The browser reports no end when a menu
 * opens over the press. A move without a button then ends it.
 * @param {(event: PointerEvent) => {onMove?: (event: PointerEvent) => void, onEnd?: () => void}} onStart
 */
export function onPress(element, onStart) {
  element.addEventListener('pointerdown', (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    const { onMove, onEnd } = onStart(event);
    const listeners = new AbortController();
    const end = () => {
      listeners.abort();
      onEnd?.();
    };
    const { signal } = listeners;
    addEventListener('pointermove', (next) => { if (next.buttons) onMove?.(next); else end(); }, { signal });
    addEventListener('pointerup', end, { signal });
    addEventListener('pointercancel', end, { signal });
  });
}

let presses = 0;
const postponed = new Set();

onPress(document, ({ target }) => {
  // The open list of a select may receive the end of the press in place of the page.
  if (target.closest('select')) return {};
  presses += 1;

  // The click follows the end of the press.
  return {
    onEnd: () => setTimeout(() => {
      presses -= 1;
      if (presses > 0) return;
      const works = [...postponed];
      postponed.clear();
      for (const work of works) work();
    }),
  };
});

/**
 * Runs the work now, or after the press that is under way. The browser fires no click if the pressed element moves or is replaced.
 * The same work runs once, however often it is postponed.
 */
export function afterPress(work) {
  if (presses > 0) postponed.add(work);
  else work();
}
