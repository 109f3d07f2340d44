// Fault injection for each agent and each link. The controls are absent unless the agents permit faults, and disabled while
// the agents require a cluster key that the page does not have.

import { call, errorText } from './api.js';
import { html } from './dom.js';
import { plural } from './format.js';
import { hint, hintOf } from './hints.js';
import { number } from './run-form.js';

const COLUMNS = [['Link', 'link'], ['Drop %', 'drop'], ['Delay ms', 'delay'], []];

export class Faults {
  /** @param {{notice: (text?: string) => void, onKeyRefused: () => void}} options */
  constructor(host, { notice, onKeyRefused }) {
    Object.assign(this, { host, notice, onKeyRefused, available: false, locked: () => false, known: new Map() });
    this.list = html('div', { class: 'fault-list' });
    this.heal = html('button', { type: 'button', id: 'heal', onclick: () => this.#healAll() }, 'Heal all');
    this.controls = html('fieldset', { 'aria-labelledby': 'faults-title' }, this.list, this.heal);
    host.append(this.controls);
  }

  /** @param {{agent_id?: string, up: boolean}[]} agents the serving agent, then its peers in the order of its configuration */
  async show(agents) {
    this.host.hidden = !this.available;
    if (this.host.hidden) return;
    this.agents = agents;
    const locked = this.controls.disabled = this.locked();
    await Promise.all(agents.map(async (agent, index) => {
      const faults = this.known.get(index);
      if (locked) this.known.set(index, this.#withoutKey(agent, index));
      // An agent that restarts has no faults.
      else if (!agent.up) this.known.delete(index);
      else if (!faults || faults.incomplete || faults.isolate !== Boolean(agent.isolated)) {
        try {
          const response = await call(this.#path(index));
          if (response) this.known.set(index, response);
        } catch (problem) {
          // Any other error means that the agent has just gone down. The next update calls it again.
          if (problem.status === 401) this.onKeyRefused();
        }
      }
    }));
    for (const index of this.known.keys()) if (index >= agents.length) this.known.delete(index);
    const key = JSON.stringify([agents.map((agent) => agent.up), [...this.known]]);
    if (key === this.key || this.list.contains(document.activeElement) && this.drawn === agents.map((agent) => agent.up).join()) return;
    this.key = key;
    this.drawn = agents.map((agent) => agent.up).join();
    this.#draw();
  }

  /** The faults of an agent as far as they are known without the key. */
  #withoutKey({ agent_id: id, address, isolated }, index) {
    const peers = this.agents.filter((_, other) => other !== index).map((agent) => agent.agent_id ?? agent.address);
    return { agent_id: id ?? address, isolate: Boolean(isolated), links: [], peers, incomplete: true };
  }

  #path(index) { return index === 0 ? 'faults' : `cluster/${index}/faults`; }

  #draw() {
    const open = new Set([...this.list.querySelectorAll('details[open]')].map((details) => details.dataset.agent));
    const order = [...this.agents.keys()]
      .sort((a, b) => String(this.agents[a].agent_id).localeCompare(String(this.agents[b].agent_id), 'en', { numeric: true }));
    this.list.replaceChildren(...order.filter((index) => this.known.has(index)).map((index) => this.#agent(index, open)));
  }

  #agent(index, open) {
    const faults = this.known.get(index);
    const id = faults.agent_id;
    const isolate = html('button', {
      type: 'button', class: 'isolate', 'aria-pressed': String(faults.isolate), 'aria-label': `Isolate ${id}`, ...hintOf('isolate'),
      onclick: () => this.#put(index, { ...faults, isolate: !faults.isolate }),
    }, faults.isolate ? 'Reconnect' : 'Isolate');
    const rows = faults.peers.map((peer) => {
      const link = faults.links.find((candidate) => candidate.peer === peer) ?? { peer, drop: 0, delay_ms: 0 };
      const input = (name, max, label) => number(name, {
        min: 0, max, value: link[name] ?? 0, 'aria-label': label,
        onchange: (event) => {
          if (!event.target.reportValidity()) return;
          const links = [...this.known.get(index).links.filter((other) => other.peer !== peer),
            { ...this.known.get(index).links.find((other) => other.peer === peer) ?? { peer }, [name]: Number(event.target.value) }];
          this.#put(index, { ...this.known.get(index), links }, false);
        },
      });
      return html('tr', {}, html('th', { scope: 'row' }, `↔ ${peer}`),
        html('td', {}, input('drop', 100, `Drop % between ${id} and ${peer}`)),
        html('td', {}, input('delay_ms', 60_000, `Delay in ms between ${id} and ${peer}`)),
        html('td', {}, html('button', {
          type: 'button', 'aria-pressed': String(Boolean(link.isolate)), 'aria-label': `Cut the link between ${id} and ${peer}`,
          onclick: () => this.#put(
            index, { ...faults, links: [...faults.links.filter((other) => other.peer !== peer), { ...link, isolate: !link.isolate }] }),
        }, link.isolate ? 'Restore' : 'Cut')));
    });
    return html('div', { class: 'agent-faults', 'data-agent': id },
      html('details', { 'data-agent': id, open: open.has(id) },
        html('summary', {}, html('b', {}, id), html('small', {}, describe(faults))),
        html('table', { class: 'links' },
          html('thead', {}, html('tr', {}, COLUMNS.map(([name, term]) => html('th', { scope: 'col' }, term && hint(name, term))))),
          html('tbody', {}, rows))),
      isolate);
  }

  async #put(index, { isolate, links }, redraw = true) {
    this.notice();
    try {
      const body = {
        isolate,
        links: links.map(({ peer, direction, drop, delay_ms, duplicate, isolate: cut }) =>
          ({ peer, direction, drop, delay_ms, duplicate, isolate: cut })),
      };
      this.known.set(index, await call(this.#path(index), { method: 'PUT', body }));
    } catch (problem) {
      this.notice(errorText(problem));
    }
    if (redraw) this.#redraw();
  }

  #redraw() {
    const label = document.activeElement?.getAttribute('aria-label');
    this.#draw();
    if (label) this.list.querySelector(`[aria-label="${CSS.escape(label)}"]`)?.focus();
  }

  async #healAll() {
    this.notice();
    for (const index of this.known.keys()) {
      try {
        this.known.set(index, await call(this.#path(index), { method: 'DELETE' }));
      } catch (problem) {
        this.notice(errorText(problem));
      }
    }
    this.#draw();
  }
}

function describe({ isolate, links, incomplete }) {
  if (isolate) return 'isolated';
  if (incomplete) return '';
  const faulty = links.filter((link) => link.isolate || link.drop || link.delay_ms || link.duplicate).length;
  return faulty ? `faults on ${plural(faulty, 'link')}` : 'no faults';
}
