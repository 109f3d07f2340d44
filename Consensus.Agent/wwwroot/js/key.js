// The cluster key. The tab stores it until the tab is closed. The page sends it in a header and never in an address,
// so that neither the browser's history nor a log contains it.

import { html } from './dom.js';

const STORED = 'consensus-key';

/** The header with the key; empty without a key. */
export const keyHeader = () => {
  const key = sessionStorage.getItem(STORED);
  return key ? { 'Consensus-Key': key } : {};
};

export const isKnown = () => Boolean(sessionStorage.getItem(STORED));

/** The form in which a person enters the key. @param {() => void} onChange */
export function keyForm(onChange) {
  const input = html('input', { type: 'password', id: 'key', autocomplete: 'off', placeholder: 'Cluster key', 'aria-describedby': 'key-help',
    'aria-label': 'Cluster key, for faults and resets', value: sessionStorage.getItem(STORED) ?? '' });
  const store = () => {
    const key = input.value.trim();
    if (key === (sessionStorage.getItem(STORED) ?? '')) return;
    if (key) sessionStorage.setItem(STORED, key);
    else sessionStorage.removeItem(STORED);
    onChange();
  };
  input.addEventListener('change', store);
  return html('form', { class: 'key', onsubmit: (event) => { event.preventDefault(); store(); } },
    html('p', { id: 'key-help' }, 'Faults and resets require the cluster key. It is the value of ', html('code', {}, 'CLUSTER_KEY'), '; under the AppHost, the parameter ', html('code', {}, 'cluster-key'), ' in the dashboard. This tab stores the key until you close it.'),
    html('div', {}, input, html('button', { type: 'submit' }, 'Use key')));
}
