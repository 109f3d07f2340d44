// The explorer: one state of a simulated cluster, its diagram, its agents, its properties, and every possible next step.

import { AgentTable } from './agent-table.js';
import { errorText, exploreState, isFailedCall } from './api.js';
import { chip, html } from './dom.js';
import { hint } from './hints.js';
import { RunView } from './run-view.js';

const TIMERS = {
  window: '’s window ends', startwait: '’s wait for responses ends', retransmit: ' retransmits', disseminate: ' retransmits the decision', poll: ' queries the state of its peers',
};
const RARE = new Set(['retransmit', 'disseminate', 'poll', 'startwait']);
const PROPERTY_TERMS = { agreement: 'agreement', validity: 'validity', integrity: 'integrity', 'one proposal': 'equivocation', 'one vote': 'equivocation', 'learners silent': 'learner' };

export class Explorer {
  /**
   * @param {HTMLElement} host
   * @param {{notice: (text?: string) => void, onPath: (path: string, state: object) => void}} options `onPath` runs after each change of the path
   */
  constructor(host, { notice, onPath }) {
    Object.assign(this, { notice, onPath, query: {}, path: '', undone: [] });
    const stage = html('section', { class: 'stage', 'aria-label': 'What happened' });
    const agents = html('section', { class: 'card', 'aria-label': 'What each agent knows' });
    this.properties = html('ul', { class: 'properties', 'aria-label': 'Properties' });
    this.steps = html('section', { class: 'card next-steps', 'aria-labelledby': 'next-title', tabindex: -1 });
    this.table = new AgentTable(agents);
    this.view = new RunView(stage, {
      label: 'Space-time diagram of the path',
      onStates: (model, states, position) => this.table.show(model, states, position, { end: 'Current state' }),
    });
    this.root = html('div', { class: 'explorer' }, html('div', { class: 'explored' }, this.properties, stage), html('div', { class: 'side' }, this.steps, agents));
    host.append(this.root);
  }

  /** Shows the state after a path. @param {object} query rule, agents, values, mutant @param {string} path */
  show(query, path) {
    Object.assign(this, { query, undone: [] });
    return this.#load({ path });
  }

  /** Goes on to a goal by the fewest steps found. */
  seek(goal) {
    return this.#load({ path: this.path, goal }, 60_000);
  }

  back() {
    const steps = this.path.split('-').filter(Boolean);
    if (!steps.length) return undefined;
    this.undone.push(steps.pop());
    return this.#load({ path: steps.join('-') });
  }

  forward() {
    const step = this.undone.pop();
    return step ? this.#load({ path: this.#with(step) }) : undefined;
  }

  take(step) {
    this.undone = [];
    return this.#load({ path: this.#with(step) });
  }

  /** Takes a random step. Faults are rare, so that something else happens too. */
  surprise() {
    const weight = ({ kind }) => kind === 'deliver' || kind === 'respond' ? 12 : kind === 'window' ? 6 : kind === 'restart' ? 4 : kind === 'start' ? (this.path ? 0.2 : 20) : RARE.has(kind) ? 0.3 : 0.5;
    const steps = this.state?.steps ?? [];
    let at = Math.random() * steps.reduce((sum, step) => sum + weight(step), 0);
    const chosen = steps.find((step) => (at -= weight(step)) < 0);
    return chosen && this.take(chosen.step);
  }

  #with(step) {
    return this.path ? `${this.path}-${step}` : step;
  }

  async #load(query, timeout) {
    const request = this.request = {};
    this.root.setAttribute('aria-busy', 'true');
    try {
      const state = await exploreState({ ...this.query, ...query }, timeout);
      if (request !== this.request) return;
      this.notice();
      Object.assign(this, { state, path: state.path });
      this.#draw();
      this.onPath(state.path, state);
    } catch (problem) {
      if (request !== this.request) return;
      if (!isFailedCall(problem)) throw problem;
      this.notice(errorText(problem));
    } finally {
      if (request === this.request) this.root.removeAttribute('aria-busy');
    }
  }

  #draw() {
    const { properties, timeline } = this.state;
    this.properties.replaceChildren(...properties.map(({ name, holds, reason }) => html('li', { class: holds ? 'holds' : 'broken', 'data-property': name },
      html('b', {}, PROPERTY_TERMS[name] ? hint(name, PROPERTY_TERMS[name]) : name), html('span', {}, holds ? 'holds' : 'violated'), html('small', {}, reason))));
    const focused = this.steps.contains(document.activeElement);
    this.steps.replaceChildren(...this.#stepGroups());
    if (focused) this.steps.focus();
    this.view.show(timeline);
  }

  #stepGroups() {
    const { steps } = this.state;
    const groups = [];
    for (const step of steps) {
      const key = step.step.split('.')[0];
      const group = groups.find((known) => known.key === key);
      if (group) group.steps.push(step);
      else groups.push({ key, steps: [step], kind: step.kind, message: step.message, agent: step.agent });
    }
    const of = (...kinds) => groups.filter(({ kind }) => kinds.includes(kind));
    const name = (lane) => this.state.timeline.lanes[lane].agent_id;
    const losses = new Map(of('lose').map((group) => [group.key.slice(1), group]));
    const messages = [...of('deliver', 'respond'), ...of('lose').filter(({ key }) => !of('deliver', 'respond').some((other) => other.key.slice(1) === key.slice(1)))];
    const row = (text, ...buttons) => html('li', {}, html('span', {}, text), html('span', { class: 'choices' }, buttons.flat(Infinity)));
    const list = (title, terms, rows) => rows.length > 0 && html('div', {}, html('h3', {}, hint(title, ...terms)), html('ul', {}, rows));
    const timers = (kinds) => of(...kinds).map((group) => row(`${name(group.agent)}${TIMERS[group.kind]}`, this.#buttons(group, group.kind === 'window' ? 'End' : 'Do it')));
    const rare = timers([...RARE]);
    return [
      html('h2', { id: 'next-title' }, 'What happens next?'),
      list('Messages in flight', ['in flight', 'lost'], messages.map((group) => row(describe(group.message, name),
        group.kind === 'lose' ? [] : this.#buttons(group, 'Deliver'), losses.has(group.key.slice(1)) ? this.#buttons(losses.get(group.key.slice(1)), 'Lose', 'quiet') : []))),
      list('Windows', ['window'], timers(['window'])),
      list('Agents', ['agent', 'crash', 'reset'], this.state.timeline.lanes.map((lane, index) => row(lane.agent_id,
        of('start').filter(({ agent }) => agent === index).map((group) => this.#buttons(group, 'Run')),
        of('restart', 'crash', 'reset').filter(({ agent }) => agent === index).map((group) => this.#buttons(group, { restart: 'Restart', crash: 'Crash', reset: 'Reset' }[group.kind], 'quiet'))))),
      rare.length > 0 && html('details', {}, html('summary', {}, `Other timers (${rare.length})`), html('ul', {}, rare)),
    ].filter(Boolean);
  }

  /** One button, or one for each value that the step may draw. */
  #buttons({ steps }, label, look) {
    const button = (step, ...children) => html('button', {
      type: 'button', class: look, 'data-step': step.step, title: step.effect ?? 'Nothing else changes.', 'aria-label': `${label}${step.draws ? `, draws ${step.draws}` : ''}: ${this.#spoken(step)}`,
      onclick: () => this.take(step.step),
    }, ...children);
    if (!steps[0].draws) return [button(steps[0], label)];
    return [html('span', { class: 'draws' }, label, ' and ', hint('draw', 'draw')), ...steps.map((step) => button(step, chip(step.draws[0])))];
  }

  #spoken(step) {
    const name = (lane) => this.state.timeline.lanes[lane].agent_id;
    return `${step.message ? describe(step.message, name) : name(step.agent)}${step.effect ? `; ${name(step.agent)} ${step.effect}` : ''}`;
  }
}

const describe = ({ from, to, response, text }, name) => `${name(from)} ${response ? 'responds ' : ''}to ${name(to)}: ${text}`;
