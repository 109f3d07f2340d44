// Printing: the whole picture of each visible diagram, fitted to the width of the paper, in the colours of the light scheme.

import { html } from './dom.js';
import { pictureOf } from './share.js';

const diagrams = new Set();

/** Prints this diagram whenever it is visible. */
export const makePrintable = (diagram) => diagrams.add(diagram);

addEventListener('beforeprint', () => {
  const { style } = document.documentElement;
  style.colorScheme = 'light';
  for (const diagram of diagrams) {
    if (!diagram.root.isConnected) diagrams.delete(diagram);
    else if (diagram.model && diagram.root.checkVisibility()) {
      const page = new DOMParser().parseFromString(pictureOf(diagram), 'image/svg+xml');
      diagram.root.before(html('div', { class: 'printed' }, document.adoptNode(page.documentElement)));
    }
  }
  style.colorScheme = '';
});

addEventListener('afterprint', () => { for (const printed of document.querySelectorAll('.printed')) printed.remove(); });
