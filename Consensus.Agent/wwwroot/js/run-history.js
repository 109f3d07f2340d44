// The last runs: a chart of their rounds, and a list from which each run opens.

import { chip, html, svg } from './dom.js';
import { duration, plural } from './format.js';

const WIDTH = 300;
const HEIGHT = 56;

export class RunHistory {
  /** @param {(run: string | null) => void} onOpen receives the opened run; null means the newest run */
  constructor(host, onOpen) {
    this.onOpen = onOpen;
    this.current = null;
    this.empty = html('p', { class: 'muted' }, 'No runs yet.');
    this.chart = svg('svg', { class: 'chart', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', preserveAspectRatio: 'none' });
    this.caption = html('p', { class: 'caption' });
    this.follow = html('button', { type: 'button', class: 'follow', onclick: () => this.open(null) }, 'Follow the newest run');
    this.list = html('ol', { class: 'runs', 'aria-label': 'Runs, newest first' });
    host.append(this.empty, this.chart, this.caption, this.follow, this.list);
  }

  open(run) {
    this.current = run;
    this.onOpen(run);
    if (this.runs) this.show(this.runs);
  }

  show(runs) {
    this.runs = runs;
    this.empty.hidden = runs.length > 0;
    this.chart.toggleAttribute('hidden', runs.length === 0);
    this.follow.hidden = this.current === null;
    const key = JSON.stringify([runs, this.current]);
    if (key === this.key) return;
    this.key = key;
    this.#chart([...runs].reverse());
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.run : null;
    this.list.replaceChildren(...runs.map((run, index) => this.#item(run, index)));
    if (focused) this.list.querySelector(`[data-run="${CSS.escape(focused)}"]`)?.focus();
  }

  #item(run, index) {
    const current = this.current === run.run || (this.current === null && index === 0);
    const number = run.run === 'bare' ? 'bare' : `#${run.run.split('.')[0]}`;
    return html('li', {}, html('button', {
      type: 'button', 'data-run': run.run, 'aria-current': current ? 'true' : null, title: run.run,
      onclick: () => this.open(index === 0 ? null : run.run),
    },
      html('b', {}, number), html('span', { class: 'rule' }, run.rule),
      html('span', { class: 'rounds' }, plural(run.rounds, 'round')),
      html('span', { class: 'took' },
        run.value === undefined ? 'undecided' : run.duration_ms === undefined ? '–' : duration(run.duration_ms)),
      chip(run.value, run.value ? `decided ${run.value}` : 'undecided')));
  }

  #chart(runs) {
    const max = Math.max(1, ...runs.map((run) => run.rounds));
    const barWidth = WIDTH / Math.max(24, runs.length);

    // The square root keeps short runs visible beside a long one.
    const bars = runs.map((run, i) => {
      const height = Math.max(2, (HEIGHT - 4) * Math.sqrt(run.rounds / max));
      return svg('rect', {
        class: `bar ${run.rule}${run.value === undefined ? ' open' : ''}`, x: i * barWidth + 0.5, y: HEIGHT - height,
        width: Math.max(1, barWidth - 1.5), height, rx: 1.5,
      });
    });
    this.chart.replaceChildren(...bars);
    const total = runs.reduce((sum, run) => sum + run.rounds, 0);
    const text = runs.length ? `Rounds per run: ${(total / runs.length).toFixed(1)} on average, ${max.toLocaleString('en')} at most` : '';
    this.caption.textContent = text;
    this.chart.setAttribute('aria-label', text);
  }
}
