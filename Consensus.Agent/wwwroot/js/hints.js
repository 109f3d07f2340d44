// Hints: a term with a hint shows its glossary entry on hover, on keyboard focus, and on a click or tap.
// Every element with `data-terms` has a hint, whether it is static or made later.

import { html } from './dom.js';
import { loadGlossary } from './glossary.js';

const HIDE_DELAY_MS = 200;
const MARGIN = 8;

/** A term as a button that only shows its hint. @param {string} label @param {string[]} terms entries of the glossary */
export const hint = (label, ...terms) => html('button', { type: 'button', class: 'hint', ...hintOf(...terms) }, label);

/** Attributes that give any other element a hint. It appears on hover and on keyboard focus, so a click keeps its own effect. */
export const hintOf = (...terms) => ({ 'data-terms': terms.join(', ') });

/** The name and the text of an entry as elements. */
export const entryContent = ({ terms, text }) => [html('strong', {}, terms.join(', ')), html('span', {}, inline(text))];

const panel = html('div', { id: 'hint', class: 'hint-panel', role: 'tooltip', popover: 'manual', tabindex: -1 });
let anchor = null;
let hovering = false;
let hiding = false;
let hideTimer;

/** Starts to show hints, and reads the glossary in advance so that hints work while the agent is down. */
export function startHints() {
  document.body.append(panel);
  loadGlossary().catch(() => { /* The first hint tries again. */ });
  document.addEventListener('pointerover', ({ target, pointerType }) => { if (pointerType === 'mouse') onHover(target); });
  document.addEventListener('focusin', ({ target }) => {
    if (!hiding && termsOwner(target) === target && target.matches(':focus-visible')) show(target, false);
  });
  document.addEventListener('focusout', ({ target, relatedTarget }) => {
    if (target === anchor && !panel.contains(relatedTarget)) hide();
  });
  document.addEventListener('click', ({ target }) => { if (termsOwner(target)?.matches('.hint')) show(termsOwner(target), false); });
  document.addEventListener('pointerdown', ({ target }) => {
    if (anchor && !panel.contains(target) && termsOwner(target) !== anchor) hide();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !anchor) return;
    event.stopPropagation();
    hide();
  }, { capture: true });
  addEventListener('resize', hide);

  // The browser scrolls a focused element into view, so a hint moves with its element.
  document.addEventListener('scroll', () => { if (panel.matches(':popover-open')) place(anchor); }, { capture: true, passive: true });

  panel.addEventListener('click', (event) => {
    // A click outside the options panel closes that panel, and a hint counts as inside.
    event.stopPropagation();

    // On a touch screen a hint may cover the next element, so a tap closes the hint.
    if (event.pointerType !== 'mouse') hide();
  });
}

const termsOwner = (target) => target instanceof Element ? target.closest('[data-terms]') : null;

function onHover(target) {
  const owner = termsOwner(target);
  if (owner || panel.contains(target)) {
    clearTimeout(hideTimer);
    hideTimer = undefined;
    if (owner && owner !== anchor) show(owner, true);
  } else if (anchor && hovering && hideTimer === undefined) {
    // The pointer may cross a gap on its way to the hint.
    hideTimer = setTimeout(hide, HIDE_DELAY_MS);
  }
}

async function show(owner, byHover) {
  hovering = byHover;
  if (anchor === owner) return;
  hide();
  anchor = owner;
  hovering = byHover;
  const content = await contentOf(owner.dataset.terms.split(', '));
  if (anchor !== owner) return;
  panel.replaceChildren(...content);
  panel.showPopover();
  place(owner);
  owner.setAttribute('aria-describedby', panel.id);
}

function hide() {
  clearTimeout(hideTimer);
  hideTimer = undefined;
  anchor?.removeAttribute('aria-describedby');
  anchor = null;

  // A popover that closes returns the focus, which must not open the hint again.
  hiding = true;
  if (panel.matches(':popover-open')) panel.hidePopover();
  hiding = false;
}

async function contentOf(terms) {
  try {
    const entries = await loadGlossary();
    return terms.map(
      (term) => html('p', {}, entryContent(entries.get(term) ?? { terms: [term], text: 'The glossary has no such entry.' })));
  } catch {
    return [html('p', {}, 'The agent does not respond.')];
  }
}

/** Below the element, or above it where the window ends. */
function place(owner) {
  const box = owner.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const left = Math.max(MARGIN, Math.min(box.left, document.documentElement.clientWidth - width - MARGIN));
  const above = box.bottom + height + MARGIN > innerHeight && box.top > height;
  panel.style.left = `${left}px`;
  panel.style.top = `${above ? box.top - height - 2 : box.bottom + 2}px`;
}

/** Markdown's `code` and *emphasis* as elements. */
function inline(text) {
  return text.split(/(`[^`]+`|\*[^*]+\*)/).filter(Boolean).map((part) => {
    if (part.startsWith('`')) return html('code', {}, part.slice(1, -1));
    return part.startsWith('*') ? html('em', {}, part.slice(1, -1)) : part;
  });
}
