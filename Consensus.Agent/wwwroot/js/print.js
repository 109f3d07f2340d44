// Printing and find-in-page need the whole picture of each visible diagram. A long one is otherwise in the document only where it
// is in sight. On paper it is fitted to the width, in the colours of the light scheme.

import { html } from './dom.js';
import { pictureOf } from './share.js';

const diagrams = new Set();

/** Shows the whole of this diagram for printing and find-in-page. */
export const makePrintable = (diagram) => diagrams.add(diagram);

function visible() {
  for (const diagram of diagrams) if (!diagram.root.isConnected) diagrams.delete(diagram);
  return [...diagrams].filter((diagram) => diagram.model && diagram.root.checkVisibility());
}

addEventListener('beforeprint', () => {
  const { style } = document.documentElement;
  style.colorScheme = 'light';
  for (const diagram of visible()) {
    const page = new DOMParser().parseFromString(pictureOf(diagram), 'image/svg+xml');
    diagram.root.before(html('div', { class: 'printed' }, document.adoptNode(page.documentElement)));
  }
  style.colorScheme = '';
});

addEventListener('afterprint', () => { for (const printed of document.querySelectorAll('.printed')) printed.remove(); });

addEventListener('keydown', ({ key, ctrlKey, metaKey }) => {
  if (key === 'F3' || (key === 'f' && (ctrlKey || metaKey))) for (const diagram of visible()) diagram.showAll();
});
