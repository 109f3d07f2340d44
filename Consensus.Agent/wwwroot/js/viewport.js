// Of a tall picture only what is in sight is in the document: its parts are made when they come near, and taken out when
// they are far again. So what is drawn at once is bounded, however long a run is.

const SLICE = 300;
const NEAR = 200;

const sliceOf = (y) => Math.max(0, Math.floor(y / SLICE));

export class Sight {
  /**
   * @param {{top: number, bottom: number}[]} parts
   * @param {boolean} whole few enough to be all in the document
   * @param {{add: (part) => void, remove: (part) => void}} actions
   */
  constructor(parts, whole, { add, remove }) {
    Object.assign(this, { whole, add, remove, slices: [], shown: new Set(), first: 0, last: -1 });
    for (const part of parts) {
      for (let slice = sliceOf(part.top); slice <= sliceOf(part.bottom); slice++) (this.slices[slice] ??= []).push(part);
    }
  }

  look(top, bottom) {
    const first = this.whole ? 0 : sliceOf(top - NEAR);
    const last = this.whole ? this.slices.length - 1 : sliceOf(bottom + NEAR);
    if (first === this.first && last === this.last) return;
    for (const part of this.shown) {
      if (sliceOf(part.bottom) >= first && sliceOf(part.top) <= last) continue;
      this.remove(part);
      this.shown.delete(part);
    }
    for (let slice = first; slice <= last; slice++) {
      if (slice >= this.first && slice <= this.last) continue;
      for (const part of this.slices[slice] ?? []) {
        if (this.shown.has(part)) continue;
        this.add(part);
        this.shown.add(part);
      }
    }
    Object.assign(this, { first, last });
  }
}
