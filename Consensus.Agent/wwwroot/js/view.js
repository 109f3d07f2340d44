// A diagram with its slider, and whoever wants to know what the agents knew at the moment it shows.

import { Diagram } from './diagram.js';
import { build, replay } from './model.js';
import { Stepper } from './stepper.js';

export class View {
  /** @param {HTMLElement} host @param {{label: string, title?: string, unfold?: Function, knew?: (model, known, at) => void}} options */
  constructor(host, options) {
    this.knew = options.knew;
    this.diagram = new Diagram(host, options);
    this.stepper = new Stepper(this.diagram.root, (at) => {
      this.diagram.cut(at);
      this.tell();
    });
  }

  show(timeline, extra) {
    this.model = build(timeline);
    this.stepper.show(this.model);
    this.diagram.cutAt = this.stepper.at;
    this.diagram.show(this.model, extra);
    this.tell();
  }

  tell() {
    this.knew?.(this.model, replay(this.model, this.stepper.count), this.stepper.at);
  }
}
