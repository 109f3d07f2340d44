// The cluster's key, where the agents have one: a person types it in, and this tab remembers it until it is closed. It travels
// in a header only, never in an address, so that it stays out of the history and of logs.

import { html } from './dom.js';

const STORED = 'consensus-key';

/** The header that carries it; nothing where there is none. */
export const carried = () => {
  const key = sessionStorage.getItem(STORED);
  return key ? { 'Consensus-Key': key } : {};
};

export const isKnown = () => Boolean(sessionStorage.getItem(STORED));

/** The field to type it in, with where it stands. @param {() => void} changed */
export function keyForm(changed) {
  const input = html('input', { type: 'password', id: 'key', autocomplete: 'off', placeholder: 'Cluster key', 'aria-describedby': 'key-help',
    'aria-label': 'Cluster key, to reset and to break', value: sessionStorage.getItem(STORED) ?? '' });
  const use = () => {
    const key = input.value.trim();
    if (key === (sessionStorage.getItem(STORED) ?? '')) return;
    if (key) sessionStorage.setItem(STORED, key);
    else sessionStorage.removeItem(STORED);
    changed();
  };
  input.addEventListener('change', use);
  return html('form', { class: 'key', onsubmit: (event) => { event.preventDefault(); use(); } },
    html('p', { id: 'key-help' }, 'To break and to reset takes the value of ', html('code', {}, 'CLUSTER_KEY'), '; under the AppHost, the parameter ', html('code', {}, 'cluster-key'), ' in the dashboard. This tab forgets it when it is closed.'),
    html('div', {}, input, html('button', { type: 'submit' }, 'Use key')));
}
