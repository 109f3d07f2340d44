// The explorer: one state of a simulated cluster, its diagram, its agents, its properties, and every possible next step.

import { AgentTable } from './agent-table.js';
import { errorText, exploreFuture, exploreState, isFailedCall, searchPath } from './api.js';
import { chip, html } from './dom.js';
import { arrowLabel, plural } from './format.js';
import { hint } from './hints.js';
import { RunView } from './run-view.js';
import { untilOf } from './possible.js';
import { queryOf } from './why.js';

const TIMERS = {
  window: '’s window ends', startwait: '’s wait for responses ends', retransmit: ' retransmits',
  disseminate: ' retransmits the decision', poll: ' queries the state of its peers',
};
const TIMER_STEPS = {
  window: 'End the window', startwait: 'End the wait for responses',
  retransmit: 'Retransmit', disseminate: 'Retransmit the decision', poll: 'Query the peers',
};
const AGENT_STEPS = { start: 'Run', restart: 'Restart', crash: 'Crash', reset: 'Reset' };
const HOW = 'Click a message in the picture to deliver it. Right-click it to lose or duplicate it. '
  + '⋯ beside an agent offers its timers and faults.';
const HOW_IN_TASK = 'Click a message in the picture to deliver it, or choose a step here.';
const MESSAGE_STEPS = { deliver: 'Deliver', respond: 'Deliver', lose: 'Lose', duplicate: 'Duplicate' };
const ARRIVALS = new Set(['deliver', 'respond']);
const RARE = new Set(['retransmit', 'disseminate', 'poll', 'startwait']);
const PROPERTY_TERMS = {
  agreement: 'agreement', validity: 'validity', integrity: 'integrity', 'one proposal': 'equivocation',
  'one vote': 'equivocation', 'learners silent': 'learner',
};

export class Explorer {
  /**
   * @param {HTMLElement} host
   * @param {{notice: (text?: string) => void, onPath: (path: string, state: object, isStep: boolean) => void}} options `onPath` runs
   * after each change of the path; `isStep` says whether a person took a step
   */
  constructor(host, { notice, onPath }) {
    Object.assign(this, { notice, onPath, query: {}, path: '', undone: [] });
    const stage = html('section', { class: 'stage', 'aria-label': 'What happened' });
    const agents = html('section', { class: 'card known-agents', 'aria-label': 'What each agent knows' });
    this.outcome = html('p', { class: 'search-outcome', role: 'status' });
    this.properties = html('ul', { class: 'properties', 'aria-label': 'Properties' });
    this.steps = html('section', { class: 'card next-steps', 'aria-labelledby': 'next-title', tabindex: -1 });
    this.table = new AgentTable(agents);
    const future = html('div', { class: 'card' });
    this.view = new RunView(stage, {
      label: 'Space-time diagram of the path',
      onStates: (model, states, position) => this.table.show(model, states, position, { end: 'Current state' }),
      tokens: () => this.#messages(null).map((own) => this.#token(own)),
      ask: async (question) => (await exploreState({ ...this.query, path: this.path, why: queryOf(question) })).timeline.explanation,
      possible: {
        host: future,
        open: true,
        ask: (kind, until, model, signal) => exploreFuture(kind, { ...this.query, path: this.path, until: untilOf(until, model) }, signal),
      },
      onAgent: (lane, button) => this.#openMenu(button, this.#name(lane), this.#agentButtons(lane)),
    });
    this.menu = html('div', { class: 'step-menu', popover: 'auto', role: 'dialog', 'aria-label': 'Possible steps' });
    this.menu.addEventListener('toggle', ({ newState }) => { if (newState === 'closed') this.menu.replaceChildren(); });
    this.menu.addEventListener('click', ({ target }) => { if (target.closest('[data-step]')) this.menu.hidePopover(); });
    // The steps come first by keyboard: they are what a person chooses.
    const explored = html('div', { class: 'explored' }, this.outcome, this.properties, future, stage);
    this.root = html('div', { class: 'explorer' }, this.steps, explored, agents, this.menu);
    host.append(this.root);
  }

  /**
   * Shows the state after a path.
   * @param {object} query rule, agents, values, mutant @param {string} path @param {boolean} isStep whether a person took a step
   * @returns {Promise<boolean>} whether it is shown; false if the call failed or a later one superseded it
   */
  show(query, path, isStep = false) {
    return this.#load({ query, path, undone: [] }, isStep);
  }

  /** Goes on to a goal by the fewest steps found, or says that no way was found. */
  async seek(goal) {
    const ending = this.#begin();
    const stop = html('button', {
      type: 'button', id: 'stop-search',
      onclick: () => { this.#begin(); this.#end(); this.#say('The search was stopped.'); },
    }, 'Stop');
    const progress = html('span', {}, 'Searching…');
    this.#say(progress, ' ', stop);
    try {
      const { path, detail } = await searchPath({ ...this.query, path: this.path, goal }, ending.signal,
        (states) => { progress.textContent = `Searching… ${plural(states, 'state')} so far`; });
      if (ending.signal.aborted) return;
      if (path !== undefined) await this.#load({ path, undone: [] }, true);
      this.#say(detail);
      this.#end();
    } catch (problem) {
      this.#fail(problem, ending);
    }
  }

  back() {
    const steps = this.path.split('-').filter(Boolean);
    return steps.length ? this.#load({ path: steps.slice(0, -1).join('-'), undone: [...this.undone, steps.at(-1)] }, true) : undefined;
  }

  forward() {
    return this.undone.length ? this.#load({ path: this.#with(this.undone.at(-1)), undone: this.undone.slice(0, -1) }, true) : undefined;
  }

  /** Takes one of the steps that differ only in their draws: the coin chooses, and the page says what it shows. */
  async #toss(steps) {
    const { step, draws } = steps[Math.floor(Math.random() * steps.length)];
    if (await this.take(step) && draws) this.#say(`The coin shows ${draws}.`);
  }

  take(step) {
    return this.#load({ path: this.#with(step), undone: [] }, true);
  }

  /** Takes a random step. Faults are rare, so that something else happens too. */
  surprise() {
    const weight = ({ kind }) => kind === 'deliver' || kind === 'respond' ? 12 : kind === 'window' ? 6
      : kind === 'restart' ? 4 : kind === 'start' ? (this.path ? 0.2 : 20) : RARE.has(kind) ? 0.3 : 0.5;
    const steps = this.state?.steps ?? [];
    let at = Math.random() * steps.reduce((sum, step) => sum + weight(step), 0);
    const chosen = steps.find((step) => (at -= weight(step)) < 0);
    return chosen && this.take(chosen.step);
  }

  #with(step) {
    return this.path ? `${this.path}-${step}` : step;
  }

  async #load({ query = this.query, path, undone }, isStep) {
    const ending = this.#begin();
    this.#say();
    try {
      const state = await exploreState({ ...query, path }, ending.signal);
      if (ending.signal.aborted) return false;
      this.notice();
      this.view.diagram.arrives = isLonger(state.path, this.path);
      Object.assign(this, { state, query, path: state.path, undone });
      this.#draw();
      this.onPath(state.path, state, isStep);
      this.#end();
      return true;
    } catch (problem) {
      this.#fail(problem, ending);
      return false;
    }
  }

  /** Begins a call. It ends the call before it, so that the agent does no work for a picture that nobody will see. */
  #begin() {
    this.ending?.abort();
    this.ending = new AbortController();
    this.root.setAttribute('aria-busy', 'true');
    return this.ending;
  }

  #end() {
    this.root.removeAttribute('aria-busy');
  }

  #fail(problem, ending) {
    if (ending.signal.aborted) return;
    this.#end();
    this.#say();
    if (!isFailedCall(problem)) throw problem;
    this.notice(errorText(problem));
  }

  /** Says how a search goes on or ended. */
  #say(...content) {
    this.outcome.replaceChildren(...content);
  }

  #draw() {
    const { properties, timeline } = this.state;
    this.properties.replaceChildren(
      ...properties.map(({ name, holds, reason }) => html('li', { class: holds ? 'holds' : 'broken', 'data-property': name },
        html('b', {}, PROPERTY_TERMS[name] ? hint(name, PROPERTY_TERMS[name]) : name),
        html('span', {}, holds ? 'holds' : 'violated'), html('small', {}, reason))));
    const focused = this.steps.contains(document.activeElement);
    this.steps.replaceChildren(...this.#stepGroups());
    if (focused) this.steps.focus();
    this.view.show(timeline);
  }

  /** The possible steps, those that differ only in their draws together. `only` limits them to what a task needs. */
  #groups(only = this.only) {
    const groups = [];
    for (const step of this.state?.steps ?? []) {
      const key = step.step.split('.')[0];
      if (only && !only.has(key[0])) continue;
      const group = groups.find((known) => known.key === key);
      if (group) group.steps.push(step);
      else groups.push({ key, steps: [step], kind: step.kind, message: step.message, agent: step.agent });
    }
    return groups;
  }

  #name = (lane) => this.state.timeline.lanes[lane].agent_id;

  /** The possible steps of each message in flight, by its number. */
  #messages(only) {
    return [...Map.groupBy(this.#groups(only).filter(({ message }) => message), ({ key }) => key.slice(1)).values()];
  }

  /** A message in flight: a click delivers it. Its menu, or the keys Delete and D, lose and duplicate it. */
  #token(all) {
    const { message, key } = all[0];
    const own = all.filter((group) => !this.only || this.only.has(group.key[0]));
    const of = (...kinds) => own.find(({ kind }) => kinds.includes(kind));
    const take = (group) => group && (this.coin || !group.steps[0].draws) && this.#toss(group.steps);
    const [arrival, words] = [of(...ARRIVALS), describe(message, this.#name)];
    const isDown = !all.some((group) => ARRIVALS.has(group.kind));
    const offer = (event) => {
      event.preventDefault();
      this.#openMenu(element, words, this.#messageButtons(own));
    };
    const kind = message.kind ?? 'state';
    const element = html('button', {
      type: 'button', class: `token k-${kind}${message.response ? ' response' : ''}`, 'data-token': arrival?.key ?? key,
      title: `${words}.${arrival ? ' Click to deliver it; right-click for more.' : isDown ? ` ${this.#name(message.to)} is down.` : ''}`,
      disabled: this.root.classList.contains('watching') || own.length === 0, oncontextmenu: offer,
      onclick: (event) => !arrival || (arrival.steps[0].draws && !this.coin) ? offer(event) : take(arrival),
      onkeydown: (event) => take({ Delete: of('lose'), d: of('duplicate') }[event.key]),
    });
    const label = `${message.response ? '↩ ' : ''}${message.kind ? arrowLabel({ ...message, message }) : 'received'}`;
    const spoken = `${arrival ? ' Deliver' : ''}: ${words}`;
    return { id: idOf(key), from: message.from, lane: message.to, kind, response: Boolean(message.response), label, spoken, element };
  }

  #messageButtons(own) {
    return own.map((group) => this.#buttons(group, MESSAGE_STEPS[group.kind], ARRIVALS.has(group.kind) ? undefined : 'quiet'));
  }

  /** What an agent may do next: start a run, fail, and let its timers end. */
  #agentButtons(lane) {
    const own = this.#groups().filter(({ agent }) => agent === lane);
    return own.filter(({ kind }) => kind in AGENT_STEPS || kind in TIMERS)
      .map((group) => this.#buttons(group, AGENT_STEPS[group.kind] ?? TIMER_STEPS[group.kind],
        group.kind in AGENT_STEPS && group.kind !== 'start' ? 'quiet' : undefined));
  }

  #openMenu(anchor, title, buttons) {
    const rows = buttons.flat(Infinity);
    this.menu.replaceChildren(
      html('strong', {}, title), ...(rows.length ? rows : [html('span', { class: 'muted' }, 'Nothing is possible here now.')]));
    this.menu.showPopover();
    const box = anchor.getBoundingClientRect();
    this.menu.style.left = `${Math.max(8, Math.min(box.left, innerWidth - this.menu.offsetWidth - 8))}px`;
    const fits = box.bottom + this.menu.offsetHeight + 8 <= innerHeight;
    this.menu.style.top = `${fits ? box.bottom + 4 : Math.max(8, box.top - this.menu.offsetHeight - 4)}px`;
    this.menu.querySelector('[data-step]')?.focus();
  }

  #stepGroups() {
    const groups = this.#groups();
    const of = (...kinds) => groups.filter(({ kind }) => kinds.includes(kind));
    const row = (text, ...buttons) => html('li', {}, html('span', {}, text), html('span', { class: 'choices' }, buttons.flat(Infinity)));
    const list = (title, terms, rows) => rows.length > 0
      && html('div', {}, html('h3', {}, this.only ? title : hint(title, ...terms)), html('ul', {}, rows));
    const timers = (kinds) => of(...kinds).map(
      (group) => row(`${this.#name(group.agent)}${TIMERS[group.kind]}`, this.#buttons(group, group.kind === 'window' ? 'End' : 'Do it')));
    const rare = timers([...RARE]);
    const ofAgents = Map.groupBy(of(...Object.keys(AGENT_STEPS)), ({ agent }) => agent);
    const agents = this.state.timeline.lanes.map((lane, index) => [lane.agent_id, ofAgents.get(index) ?? []])
      .filter(([, own]) => own.length).map(([name, own]) => row(name, own
        .map((group) => this.#buttons(group, AGENT_STEPS[group.kind], group.kind === 'start' ? undefined : 'quiet'))));

    // The few steps of a task are not folded, so that they are near by keyboard.
    const ontoggle = () => { this.isListOpen = folded.open; };
    const folded = html('details', { class: 'all-steps', open: Boolean(this.isListOpen), ontoggle },
      html('summary', {}, `All steps as a list (${groups.length})`));
    const all = this.only ? html('div', { class: 'all-steps' }) : folded;
    all.append(...[list('Messages in flight', ['in flight', 'lost'], this.#messages(this.only).map((own) =>
        row(describe(own[0].message, this.#name), this.#messageButtons(own)))),
      list('Windows', ['window'], timers(['window'])),
      list('Agents', ['agent', 'crash', 'reset'], agents),
      rare.length > 0 && html('details', {}, html('summary', {}, `Other timers (${rare.length})`), html('ul', {}, rare))].filter(Boolean));
    const started = this.path || groups.some(({ kind }) => ARRIVALS.has(kind));
    return [html('h2', { id: 'next-title' }, 'What happens next?'),
      html('p', { class: 'muted' }, this.only ? HOW_IN_TASK : started ? HOW : 'No run yet. ⋯ beside an agent starts one.'),
      ...(started ? [] : [html('div', { class: 'choices' },
        of('start').slice(0, 1).flatMap((group) => this.#buttons(group, `${this.#name(group.agent)}: run`)))]),
      all];
  }

  /** One button, or one for each value that the step may draw. */
  #buttons({ steps }, label, look) {
    const button = (step, ...children) => html('button', {
      type: 'button', class: look, 'data-step': step.step, title: step.effect ?? null,
      'aria-label': `${label}${step.draws ? `, draws ${step.draws}` : ''}: ${this.#spoken(step)}`,
      onclick: () => this.take(step.step),
    }, ...children);
    if (!steps[0].draws) return [button(steps[0], label)];
    if (this.coin) {
      const attributes = { type: 'button', class: look, 'data-step': steps[0].step.split('.')[0], onclick: () => this.#toss(steps) };
      return [html('button', attributes, `${label} and toss the coin`)];
    }
    return [html('span', { class: 'draws' }, label, ' and ', this.only ? 'draw' : hint('draw', 'draw')),
      ...steps.map((step) => button(step, chip(step.draws[0])))];
  }

  #spoken(step) {
    const effect = step.effect ? `; ${this.#name(step.agent)} ${step.effect}` : '';
    return `${step.message ? describe(step.message, this.#name) : this.#name(step.agent)}${effect}`;
  }
}

/** Whether a path goes on from another one. */
const isLonger = (path, from) => path.length > from.length && (from === '' || path.startsWith(`${from}-`));

/** The number of the message of a step. */
const idOf = (step) => Number(/\d+/.exec(step)[0]);

const describe = ({ from, to, response, text }, name) => `${name(from)} ${response ? 'responds ' : ''}to ${name(to)}: ${text}`;
