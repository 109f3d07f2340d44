// What can still happen: the agent's sentences below the picture, the line from which on one value is left, and a chart of likely futures.

import { errorText, isFailedCall } from './api.js';
import { html, svg } from './dom.js';

const WAIT_MS = 250;
const CHART = { width: 300, label: 86, bar: 160, row: 20 };

export class Possible {
  /**
   * @param {HTMLElement} host
   * @param {{ask: (kind: 'possible' | 'futures', until: number | undefined, model: object, signal: AbortSignal) => Promise<object>,
   * open: boolean, onLine: (since: {at_us: number, value: number} | undefined) => void}} options `until` is a time in ms of the shown
   * timeline; undefined: its end. `open` shows the answer at once; else it is asked for when a person opens it
   */
  constructor(host, { ask, open, onLine }) {
    Object.assign(this, { ask, onLine });
    this.words = html('p', { role: 'status' });
    this.chart = html('div', { class: 'futures' });
    this.likely = html('button', { type: 'button', class: 'likely', onclick: () => this.#simulate() }, 'How likely?');
    this.root = html('details', { class: 'possible', open, hidden: true, ontoggle: () => this.#askSoon() },
      html('summary', {}, 'What can still happen?'), this.words, this.likely, this.chart);
    host.append(this.root);
  }

  /** Shows the answer after so many steps of a run; undefined: after all. */
  show(model, position) {
    if (model === this.model && position === this.position) return;
    const { lanes, steps, timeline } = model;
    this.root.hidden = steps.length === 0 || !timeline.run || !lanes.some((lane) => lane.state_known);
    Object.assign(this, { model, position, until: position === undefined ? undefined : steps[position - 1]?.at_ms ?? -1 });
    this.chart.replaceChildren();
    this.#askSoon();
  }

  #askSoon() {
    clearTimeout(this.timer);
    this.ending?.abort();
    if (this.root.hidden || !this.root.open) return;
    this.root.setAttribute('aria-busy', 'true');
    this.timer = setTimeout(() => this.#answer('possible', (found) => {
      this.words.replaceChildren(...found.sentences.map((sentence) => html('span', {}, `${sentence} `)));
      this.likely.hidden = found.values.length === 0;
      this.onLine(found.since);
    }), WAIT_MS);
  }

  #simulate() {
    return this.#answer('futures', (found) => this.chart.replaceChildren(html('p', { class: 'muted', role: 'status' }, found.sentence),
      chartOf('Decided by round', found.rounds, found.futures), chartOf('Decided value', found.values, found.futures)));
  }

  async #answer(kind, show) {
    const ending = this.ending = new AbortController();
    this.root.setAttribute('aria-busy', 'true');
    try {
      const found = await this.ask(kind, this.until, this.model, ending.signal);
      if (!ending.signal.aborted) show(found);
    } catch (problem) {
      if (!isFailedCall(problem)) throw problem;
      if (!ending.signal.aborted) this.words.textContent = errorText(problem);
    }
    if (!ending.signal.aborted) this.root.removeAttribute('aria-busy');
  }
}

/** A time of a timeline as the agent reads it in a query. */
export const untilOf = (until, { timeline }) => until === undefined ? '' : String(Math.round(timeline.start_us + until * 1000));

/** A bar for each round or value. Its text is the same as the bar. */
function chartOf(title, counts, all) {
  const { width, label, bar, row } = CHART;
  const percent = (futures) => `${(100 * futures / all).toFixed(futures === all || futures === 0 ? 0 : 1)} %`;
  const rows = counts.map(({ number, futures }, index) => svg('g', { transform: `translate(0 ${row * (index + 1)})` },
    svg('text', { x: 0, y: 14 }, `${title.split(' ').at(-1)} ${number}`),
    svg('rect', { class: 'bar', x: label, y: 3, width: bar * futures / all, height: row - 6 }),
    svg('text', { x: label + bar + 6, y: 14 }, percent(futures))));
  const words = counts.map(({ number, futures }) => `${number}: ${percent(futures)}`).join(', ') || 'none';
  const height = row * (counts.length + 1);
  const attributes = {
    class: 'likelihood', role: 'img', 'aria-label': `${title}: ${words}`, viewBox: `0 0 ${width} ${height}`, width, height,
  };
  return svg('svg', attributes, svg('text', { class: 'chart-title', x: 0, y: 14 }, title), rows);
}
