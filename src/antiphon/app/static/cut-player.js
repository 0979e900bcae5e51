// Plays the item of a cut room together with one of the others, and changes the other without a gap: the new one is
// brought to its place silently, and only then takes over from the old one.

const DRIFT_S = 0.03;
const JUMP_S = 0.3;
const LOOK_MS = 50;
const PATIENCE_MS = 2500;

export class CutPlayer {
  /** `own` is the element of the item; `isSong` says that its sound is what stays. */
  constructor(own, isSong) {
    this.own = own;
    this.isSong = isSong;
    this.other = null;
    this.shift = 0;
    this.volume = 1;
    this.wanted = false;
    this.latencyS = 0.08;
    this.turn = 0;
    this.onTick = () => {};
    own.addEventListener("ended", () => this.pause());
    setInterval(() => this.look(), LOOK_MS);
  }

  get now() {
    return this.own.currentTime;
  }

  /** Where the other one should be; null before its start and after its end. */
  placeOf(element, shift = this.shift) {
    const at = this.own.currentTime + shift;
    return at < 0 || at >= (element.duration || Infinity) - 0.05 ? null : at;
  }

  async play() {
    this.wanted = true;
    const started = this.own.play();
    this.look();
    try {
      await started;
    } catch {
      this.pause();
    }
  }

  pause() {
    this.wanted = false;
    this.own.pause();
    this.own.playbackRate = 1;
    this.other?.pause();
    this.onTick();
  }

  seek(time) {
    this.own.currentTime = Math.min(Math.max(time, 0), this.own.duration || time);
    this.align();
  }

  /** Put the other one where it belongs, at once. */
  align() {
    const at = this.other && this.placeOf(this.other);
    if (at !== null && at !== undefined) this.other.currentTime = at;
    this.onTick();
  }

  shiftTo(shift) {
    this.shift = shift;
    if (!this.wanted) this.align();
    else if (this.other) this.change(this.other, shift);
  }

  setVolume(volume) {
    this.volume = volume;
    if (this.isSong) this.own.volume = volume;
    else if (this.other) this.other.volume = volume;
  }

  /** Let another element take over; the old one goes on until it is there. Resolves to whether it took over. */
  async change(element, shift) {
    const mine = ++this.turn;
    const old = this.other;
    if (!this.wanted || this.placeOf(element, shift) === null) {
      this.takeOver(old, element, shift);
      this.align();
      return true;
    }
    if (element === old) {
      this.shift = shift;
      this.align();
      return true;
    }
    element.muted = true;
    const ready = await this.bring(element, shift, mine);
    if (mine !== this.turn) {
      if (element !== this.other) element.pause();
      return false;
    }
    this.takeOver(old, element, shift);
    if (!ready) this.align();
    return true;
  }

  takeOver(old, element, shift) {
    this.other = element;
    this.shift = shift;
    element.muted = this.isSong;
    if (!this.isSong) element.volume = this.volume;
    if (old && old !== element) {
      old.muted = true;
      old.pause();
    }
    this.onTick();
  }

  /** Start an element silently and bring it into step: a seek takes time, so it aims ahead by what the last one took. */
  async bring(element, shift, mine) {
    for (let tries = 0; tries < 3 && mine === this.turn && this.wanted; tries += 1) {
      const asked = performance.now();
      element.currentTime = Math.max(0, this.own.currentTime + shift + this.latencyS);
      if (!(await running(element))) return false;
      const ahead = element.currentTime - this.own.currentTime - shift;
      if (Math.abs(ahead) < 2 * DRIFT_S) return true;
      this.latencyS = Math.min(0.6, Math.max(0, this.latencyS - ahead));
      if (performance.now() - asked > PATIENCE_MS) return false;
    }
    return false;
  }

  /** Keep both in step: the pictures follow the song, by a slightly other speed, or by a jump. */
  look() {
    const { other } = this;
    if (this.wanted && other) {
      const at = this.placeOf(other);
      if (at === null) {
        if (!other.paused) other.pause();
        this.own.playbackRate = 1;
      } else if (other.paused) {
        other.currentTime = at;
        other.play().catch(() => {});
      } else if (!other.seeking && !this.own.seeking && other.readyState > 2) {
        this.correct(other.currentTime - at);
      }
    }
    this.onTick();
  }

  correct(ahead) {
    const [pictures, behind] = this.isSong ? [this.other, -ahead] : [this.own, ahead];
    if (Math.abs(ahead) > JUMP_S) pictures.currentTime += behind;
    pictures.playbackRate = Math.abs(behind) > DRIFT_S / 2 ? 1 + Math.min(0.06, Math.max(-0.06, behind)) : 1;
  }
}

/** Resolves to whether an element plays from where it was put. */
function running(element) {
  return new Promise((resolve) => {
    const done = (runs) => {
      clearInterval(looking);
      clearTimeout(late);
      resolve(runs);
    };
    const at = element.currentTime;
    const looking = setInterval(() => !element.seeking && !element.paused && element.currentTime > at + 0.01 && done(true), 10);
    const late = setTimeout(() => done(false), PATIENCE_MS);
    element.play().catch(() => done(false));
  });
}
