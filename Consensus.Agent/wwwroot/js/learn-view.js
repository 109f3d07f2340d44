// The lessons. Each lesson follows a path of the explorer, some steps and some words at a time, and ends with a task.

import { call } from './api.js';
import { html } from './dom.js';
import { Explorer } from './explorer.js';
import { hint } from './hints.js';

/** What a task asks for, by its name in lessons.json. */
const GOALS = {
  'all decided': ({ agents }) => agents.every(({ state }) => Boolean(state?.consensus_value)),
  decision: ({ timeline }) => timeline.lanes.some(({ value }) => value !== undefined),
  later: ({ timeline }) => timeline.events.some(({ kind, round }) => kind === 'decided' && round > 1),
  violation: ({ properties }) => properties.some(({ holds }) => !holds),
  learner: ({ agents }) => agents.some(({ state }) => state?.learner),
  'round 3': ({ agents, timeline }) => !timeline.lanes.some(({ value }) => value !== undefined) && agents.some(({ state }) => state?.round >= 3),
};

export class LearnView {
  /** @param {HTMLElement} host @param {{notice: (text?: string) => void}} options */
  constructor(host, { notice }) {
    const button = (label, act, attributes) => html('button', { type: 'button', onclick: act, ...attributes }, label);
    Object.assign(this, { host, lesson: 0, part: 0 });
    this.list = html('ol', { class: 'lessons', 'aria-label': 'Lessons' });
    this.title = html('h2', { id: 'lesson-title' });
    this.words = html('p', { class: 'words', role: 'status' });
    this.progress = html('span', { class: 'muted' });
    this.previous = button('Back', () => this.#go(-1), { id: 'lesson-back' });
    this.next = button('Next', () => this.#go(1), { id: 'lesson-next', class: 'primary' });
    this.again = button('Start the task again', () => this.#show());
    this.answer = button('Show me', () => this.explorer.show(this.#query, this.#lesson.task.answer), { id: 'lesson-answer' });
    this.explore = html('a', { class: 'muted' }, 'Go on from here in Explore');
    this.card = html('section', { class: 'card lesson', 'aria-labelledby': 'lesson-title' }, this.title, this.words,
      html('div', { class: 'lesson-buttons' }, this.previous, this.next, this.progress, this.answer, this.again, this.explore));
    host.append(this.list, this.card);
    this.explorer = new Explorer(host, { notice, onPath: (path, state) => this.#onPath(path, state) });
    host.ownerDocument.addEventListener('keydown', (event) => this.#onKey(event));
  }

  /** Shows the lesson and the part that the address names. */
  async open() {
    this.lessons ??= await call('/lessons.json');
    const address = new URLSearchParams(location.search);
    const within = (text, end) => Math.max(0, Math.min(end - 1, (Number(text) || 1) - 1));
    this.lesson = within(address.get('lesson'), this.lessons.length);
    this.part = within(address.get('part'), this.#parts);
    await this.#show();
  }

  get #lesson() { return this.lessons[this.lesson]; }

  get #parts() { return this.#lesson.parts.length + (this.#lesson.task ? 1 : 0); }

  get #isTask() { return this.part === this.#lesson.parts.length; }

  get #query() { return { ...this.#lesson.query, ...(this.#isTask ? this.#lesson.task.query : {}) }; }

  #go(by) {
    if (by > 0 && this.next.disabled) return;
    this.part += by;
    if (this.part < 0 && this.lesson > 0) {
      this.lesson -= 1;
      this.part = this.#parts - 1;
    } else if (this.part >= this.#parts && this.lesson < this.lessons.length - 1) {
      this.lesson += 1;
      this.part = 0;
    }
    this.part = Math.max(0, Math.min(this.#parts - 1, this.part));
    history.pushState(null, '', this.#address(this.lesson, this.part));
    this.#show();
  }

  #address(lesson, part) {
    const address = new URLSearchParams(location.search);
    address.set('lesson', lesson + 1);
    address.set('part', part + 1);
    return `/learn?${address}`;
  }

  #show() {
    const { title, parts, task, path } = this.#lesson;
    this.list.replaceChildren(...this.lessons.map((lesson, index) => html('li', {},
      html('a', { href: this.#address(index, 0), 'aria-current': index === this.lesson ? 'step' : null, onclick: (event) => this.#choose(event, index) }, lesson.title))));
    this.list.scrollLeft = this.list.children[this.lesson].offsetLeft - this.list.offsetLeft - 40;
    this.title.textContent = `${this.lesson + 1}. ${title}`;
    const [steps, text] = this.#isTask ? [0, task.text] : parts[this.part];
    this.words.replaceChildren(...marked(text));
    this.card.classList.toggle('task', this.#isTask);
    this.explorer.root.classList.toggle('watching', !this.#isTask);
    this.again.hidden = this.answer.hidden = !this.#isTask;
    this.progress.textContent = `${this.part + 1} of ${this.#parts}`;
    this.previous.disabled = this.lesson === 0 && this.part === 0;
    this.next.disabled = this.#isTask || this.#isLast;
    return this.explorer.show(this.#query, this.#isTask ? task.path : path.split('-').slice(0, steps).join('-'));
  }

  get #isLast() { return this.lesson === this.lessons.length - 1 && this.part === this.#parts - 1; }

  #choose(event, index) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    Object.assign(this, { lesson: index, part: 0 });
    history.pushState(null, '', this.#address(index, 0));
    this.#show();
  }

  #onPath(path, state) {
    this.explore.href = `/explore?${new URLSearchParams({ ...this.#query, path })}`;
    if (!this.#isTask) return;
    const done = GOALS[this.#lesson.task.goal](state);
    this.next.disabled = !done || this.#isLast;
    this.card.classList.toggle('done', done);
    this.progress.textContent = done ? 'Done. Go on.' : 'To do before you go on';
  }

  #onKey(event) {
    if (this.host.hidden || event.altKey || event.ctrlKey || event.metaKey || event.target.closest('input, select, .scroll')) return;
    if (event.key === 'ArrowRight' || event.key === 'PageDown' || (event.key === ' ' && !event.target.closest('button, a, summary'))) {
      event.preventDefault();
      this.#go(1);
    } else if (event.key === 'ArrowLeft' || event.key === 'PageUp') {
      event.preventDefault();
      this.#go(-1);
    }
  }
}

/** Words with hints: {term} or {term|label}. */
const marked = (text) => text.split(/\{([^}]+)\}/).map((part, index) => {
  if (index % 2 === 0) return part;
  const [term, label] = part.split('|');
  return hint(label ?? term, term);
});
