// The cluster's key, where the agents have one: a person types it in, and this tab remembers it until it is closed.

import { html } from './dom.js';

const STORED = 'consensus-key';

/** The header that carries it; nothing where there is none. */
export const carried = () => {
  const key = sessionStorage.getItem(STORED);
  return key ? { 'Consensus-Key': key } : {};
};

export const isKnown = () => Boolean(sessionStorage.getItem(STORED));

/** The field to type it in. @param {HTMLElement} host @param {() => void} changed */
export function offerKey(host, changed) {
  const input = html('input', { type: 'password', id: 'key', name: 'key', autocomplete: 'off', placeholder: 'Cluster key', 'aria-label': 'Cluster key, to reset and to break',
    title: 'Reset and faults are for those who know CLUSTER_KEY. This tab forgets it when it is closed.', value: sessionStorage.getItem(STORED) ?? '' });
  host.prepend(html('form', { class: 'key', onsubmit: (event) => { event.preventDefault(); input.blur(); } }, input));
  input.addEventListener('change', () => {
    const key = input.value.trim();
    if (key) sessionStorage.setItem(STORED, key);
    else sessionStorage.removeItem(STORED);
    changed();
  });
}
