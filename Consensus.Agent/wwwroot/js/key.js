// The cluster key. The tab stores it until the tab is closed. The page sends it in a header and never in an address,
// so that neither the browser's history nor a log contains it.

import { html } from './dom.js';
import { store, stored } from './storage.js';

const STORED = 'consensus-key';

/** The header with the key; empty without a key. */
export const keyHeader = () => {
  const key = stored(STORED);
  return key ? { 'Consensus-Key': key } : {};
};

export const isKnown = () => Boolean(stored(STORED));

/** The form in which a person enters the key. @param {() => void} onChange */
export function keyForm(onChange) {
  const input = html('input', {
    type: 'password', id: 'key', autocomplete: 'off', placeholder: 'Cluster key', 'aria-describedby': 'key-help',
    'aria-label': 'Cluster key, for faults and resets', value: stored(STORED) ?? '',
  });
  const use = () => {
    const key = input.value.trim();
    if (key === (stored(STORED) ?? '')) return;
    store(STORED, key);
    onChange();
  };
  input.addEventListener('change', use);
  return html('form', { class: 'key', onsubmit: (event) => { event.preventDefault(); use(); } },
    html('p', { id: 'key-help' }, 'Faults and resets require the cluster key. It is the value of ',
      html('code', {}, 'CLUSTER_KEY'), '; under the AppHost, the parameter ',
      html('code', {}, 'cluster-key'), ' in the dashboard. This tab stores the key until you close it.'),
    html('div', {}, input, html('button', { type: 'submit' }, 'Use key')));
}
