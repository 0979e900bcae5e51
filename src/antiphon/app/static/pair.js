// Two media elements in step: the song leads while it lasts, the pictures follow, and where one has ended the other
// goes on. Times are those of the first element's time line.

const DRIFT_S = 0.03;
const JUMP_S = 0.45;
const LOOK_MS = 50;
const TOGETHER_S = 20;
const PATIENCE_MS = 4000;
const END_S = 0.05;

export class Pair {
  /** `sides`: elements with the moment (`at`) at which they match, the song first. */
  constructor(sides) {
    this.sides = sides.map(({ element, at }) => ({ element, at, ahead: at - sides[0].at }));
    this.clock = this.sides[0];
    this.wanted = false;
    this.onTick = () => {};
    this.onEnd = () => {};
  }

  /** Where playback is, and from when to when there is anything. */
  get now() {
    return this.clock.element.currentTime - this.clock.ahead;
  }

  get span() {
    const starts = this.sides.map((side) => -side.ahead);
    const ends = this.sides.map((side) => (side.element.duration || side.at) - side.ahead);
    return [Math.min(...starts), Math.max(...ends)];
  }

  get match() {
    return this.sides[0].at;
  }

  inside(side, now) {
    const at = now + side.ahead;
    return at >= 0 && at < (side.element.duration || Infinity) - END_S;
  }

  /** Go to the match, or so far before it that both play together for 20 s where they can. */
  async ready() {
    await Promise.all(this.sides.map(({ element }) => reached(element, 1)));
    const left = Math.min(...this.sides.map(({ element, at }) => (element.duration || Infinity) - at));
    const back = Math.min(Math.max(0, TOGETHER_S - left), ...this.sides.map(({ at }) => at));
    this.seek(this.match - back);
    await Promise.all(this.sides.map(({ element }) => reached(element, 3)));
  }

  seek(to) {
    const [start, end] = this.span;
    const now = Math.min(Math.max(to, start), end - END_S);
    this.clock = this.sides.find((side) => this.inside(side, now)) ?? this.sides[0];
    for (const side of this.sides) {
      if (this.inside(side, now)) side.element.currentTime = now + side.ahead;
      else side.element.pause();
    }
    this.onTick();
  }

  async play() {
    this.wanted = true;
    this.looking ??= setInterval(() => this.look(), LOOK_MS);
    const now = this.now;
    const playing = this.sides.filter((side) => this.inside(side, now));
    await Promise.all(playing.map(({ element }) => element.play()));
  }

  pause() {
    this.wanted = false;
    for (const { element } of this.sides) element.pause();
    this.onTick();
  }

  close() {
    clearInterval(this.looking);
    this.wanted = false;
    for (const { element } of this.sides) {
      element.pause();
      element.removeAttribute("src");
      element.load();
      element.remove();
    }
  }

  look() {
    if (this.wanted) this.keepInStep();
    this.onTick();
  }

  keepInStep() {
    const now = this.now;
    if (!this.inside(this.clock, now)) {
      const other = this.sides.find((side) => side !== this.clock && this.inside(side, now));
      if (!other) return this.finish();
      this.clock.element.pause();
      this.clock = other;
    }
    const there = this.sides.filter((side) => this.inside(side, now));
    const waiting = there.filter(({ element }) => element.readyState < 3 && !element.paused);
    for (const side of this.sides) {
      const { element } = side;
      if (!there.includes(side) || (waiting.length && !waiting.includes(side))) element.pause();
      else if (element.paused) this.start(side, now);
      else if (side !== this.clock) this.follow(side, now);
    }
    const first = this.sides[0];
    if (first !== this.clock && there.includes(first) && !first.element.paused && first.element.readyState > 2) this.clock = first;
  }

  start(side, now) {
    if (Math.abs(side.element.currentTime - now - side.ahead) > DRIFT_S) side.element.currentTime = now + side.ahead;
    side.element.play().catch(() => {});
  }

  /** Correct small drift by the speed, large drift by a jump. */
  follow({ element, ahead }, now) {
    if (element.seeking) return;
    const behind = now + ahead - element.currentTime;
    if (Math.abs(behind) > JUMP_S) element.currentTime += behind;
    element.playbackRate = Math.abs(behind) > DRIFT_S ? (behind > 0 ? 1.06 : 0.94) : 1;
  }

  finish() {
    this.pause();
    this.onEnd();
  }
}

/** Resolves when an element has as much as is asked for, has failed, or takes too long. */
function reached(element, state) {
  return new Promise((resolve) => {
    const names = ["loadedmetadata", "canplay", "seeked", "error"];
    const done = () => {
      clearTimeout(late);
      for (const name of names) element.removeEventListener(name, look);
      resolve();
    };
    const look = () => (element.error || (element.readyState >= state && !element.seeking)) && done();
    const late = setTimeout(done, PATIENCE_MS);
    for (const name of names) element.addEventListener(name, look);
    look();
  });
}
