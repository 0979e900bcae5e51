// Writes what a cut room shows into its address: not at every step of a drag, since Safari throws after 100 in 30 s.

const PAUSE_MS = 500;

export class RoomAddress {
  constructor() {
    this.query = "";
    this.writtenMs = -Infinity;
    this.timer = null;
  }

  /** Write a query: at once, or after a pause where the last one was written just now. */
  write(query) {
    this.query = query;
    const waitMs = this.writtenMs + PAUSE_MS - performance.now();
    if (waitMs <= 0) this.settle();
    else this.timer ??= setTimeout(() => this.settle(), waitMs);
  }

  /** Write the latest query now. */
  settle() {
    clearTimeout(this.timer);
    this.timer = null;
    this.writtenMs = performance.now();
    try {
      history.replaceState(null, "", `?${this.query}`);
    } catch {
      // Too often for this browser. Links and exports say what is chosen all the same.
    }
  }
}
