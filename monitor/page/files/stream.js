// The stream of the monitor: one connection a tab, closed while hidden or paused.

export const SILENT_MS = 6000;
const LONGEST_MS = 30000;

// How long to wait before the next try; the browser itself comes back from a cut line.
export const delayOf = (tries) => Math.min(LONGEST_MS, 1000 * 2 ** tries);

export class Stream {
  constructor(url, told, makeSource = (address) => new EventSource(address)) {
    this.url = url;
    this.told = told;
    this.makeSource = makeSource;
    this.source = null;
    this.tries = 0;
    this.heard = performance.now();
  }

  open() {
    if (this.source) return;
    clearTimeout(this.waiting);
    this.heard = performance.now();
    this.source = this.makeSource(this.url);
    for (const name of ["snapshot", "frame", "beat"]) {
      this.source.addEventListener(name, (event) => {
        this.heard = performance.now();
        this.tries = 0;
        this.told(name, JSON.parse(event.data));
      });
    }
    this.source.addEventListener("error", () => {
      if (this.source?.readyState === 2) this.again();
    });
  }

  // Closes, and opens anew after a while: for an answer that was no stream, or a line gone silent.
  again() {
    this.close();
    this.waiting = setTimeout(() => this.open(), delayOf(this.tries));
    this.tries += 1;
  }

  close() {
    clearTimeout(this.waiting);
    this.source?.close();
    this.source = null;
  }

  get silentMs() {
    return performance.now() - this.heard;
  }

  look() {
    if (this.source && this.silentMs > 2 * SILENT_MS) this.again();
  }
}
