// Keeps only the visible parts of a tall picture in the document. The number of elements is therefore bounded for a run of
// any length.

const SLICE = 300;
const MARGIN = 200;

const sliceOf = (y) => Math.max(0, Math.floor(y / SLICE));

export class Viewport {
  /**
   * @param {{top: number, bottom: number}[]} parts
   * @param {boolean} whole true if all parts may be in the document at once
   * @param {{add: (part) => void, remove: (part) => void}} actions
   */
  constructor(parts, whole, { add, remove }) {
    Object.assign(this, { whole, add, remove, slices: [], shown: new Set(), first: 0, last: -1 });
    for (const part of parts) {
      for (let slice = sliceOf(part.top); slice <= sliceOf(part.bottom); slice++) (this.slices[slice] ??= []).push(part);
    }
  }

  /** Adds the parts from `top` to `bottom` and removes the others. */
  update(top, bottom) {
    const first = this.whole ? 0 : sliceOf(top - MARGIN);
    const last = this.whole ? this.slices.length - 1 : sliceOf(bottom + MARGIN);
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
