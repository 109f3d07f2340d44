// The legend of the diagram: a sample of each arrow and each mark, with its glossary entries.

import { html, svg } from './dom.js';
import { arrowLabel } from './format.js';
import { loadGlossary } from './glossary.js';
import { entryContent } from './hints.js';
import { markOutline } from './svg-shapes.js';
import { KINDS } from './vocabulary.js';

/** The glossary entries of each message kind. */
export const KIND_TERMS = {
  handshake: ['handshake', 'boot', 'floor'], reset: ['reset'], new_round: ['new round'],
  proposal: ['proposal'], vote: ['vote'], final: ['final'], state: ['state query'],
};

const LINE = 'M-30 4H30';
const CROSS = 'M-4.5 -.5l9 9m0 -9l-9 9';

const arrow = (classes, ...more) => svg('g', { class: `arrow ${classes}` }, svg('path', { d: LINE }), more);
const label = (kind) =>
  svg('text', { class: `label k-${kind}`, y: -2, 'text-anchor': 'middle' }, arrowLabel({ kind, value: 2, message: { round: 1 } }));
const mark = (kind) => svg('g', { class: `mark m-${kind} v0` }, markOutline({ kind, value: 1 }));

const SAMPLES = () => [
  ...Object.keys(KINDS).map((kind) => [arrow(`k-${kind}`, label(kind)), KIND_TERMS[kind]]),
  [arrow('k-vote response'), ['piggyback']],
  [arrow('k-vote in-flight'), ['in flight']],
  [arrow('k-vote lost', svg('path', { class: 'cross', d: CROSS })), ['lost']],
  [mark('drew'), ['draw']], [mark('copied'), ['catch up']], [mark('adopted'), ['adopt']], [mark('voted'), ['vote']],
  [mark('decided'), ['decision']], [mark('learned'), ['dissemination']],
  [mark('booted'), ['crash']], [mark('contradicted'), ['equivocation']],
];

const list = html('dl');
const panel = html('div', { id: 'legend', class: 'legend-panel', popover: 'auto', role: 'dialog', 'aria-label': 'Legend of the diagram' },
  html('button', {
    type: 'button', class: 'icon close', popovertarget: 'legend', popovertargetaction: 'hide',
    'aria-label': 'Close the legend',
  }, '✕'), list);
panel.addEventListener('beforetoggle', ({ newState }) => { if (newState === 'open') fill(); });

async function fill() {
  try {
    const entries = await loadGlossary();
    list.replaceChildren(...SAMPLES().map(([sample, terms]) => html('div', {},
      html('dt', {}, svg('svg', { class: 'sample', viewBox: '-36 -13 72 26', 'aria-hidden': 'true' }, sample)),
      html('dd', { 'data-entries': terms.join(', ') }, terms.map((term) => html('p', {}, entryContent(entries.get(term))))))));
  } catch {
    list.replaceChildren(html('p', {}, 'The agent does not respond.'));
  }
}

/** The button that opens the legend. All diagrams share one legend. */
export function legendButton() {
  if (!panel.isConnected) document.body.append(panel);
  return html('button', { type: 'button', class: 'icon', 'aria-label': 'Legend', popovertarget: 'legend' }, '?');
}
