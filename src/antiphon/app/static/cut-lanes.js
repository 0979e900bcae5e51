// The lanes of a cut room: waveforms, cuts and beats on the item's time line, the playhead, and dragging.
import { inWords } from "./outline-words.js";
import { drawn, label, markPath, wavePath } from "./waveform.js";

const UNITS = 1000;
const NEAR_PX = 12;
const STILLS = 8;
const MAX_ZOOM = 32;

export class Lanes {
  constructor(room, rows, lengthS, songs) {
    this.rows = rows;
    this.lengthS = lengthS;
    this.songs = songs;
    this.ruler = room.querySelector("#ruler");
    this.playhead = room.querySelector("#head");
    this.own = this.ruler.querySelector("svg");
    this.seek = room.querySelector("#seek");
    this.zoom = 1;
    this.startS = 0;
  }

  get scale() {
    return UNITS / this.lengthS;
  }

  /** Seconds that are near enough on the screen to snap. */
  get nearS() {
    return (NEAR_PX / this.ruler.clientWidth) * this.spanS;
  }

  /** Seconds of the time line that are seen. */
  get spanS() {
    return this.lengthS / this.zoom;
  }

  /** Show so many times less of the time line, around a moment. */
  zoomTo(zoom, time) {
    this.zoom = Math.min(Math.max(zoom, 1), MAX_ZOOM);
    this.from(time - this.spanS / 2);
  }

  from(time) {
    this.startS = Math.min(Math.max(time, 0), this.lengthS - this.spanS);
    const box = `${(this.startS * this.scale).toFixed(2)} 0 ${UNITS / this.zoom} 100`;
    for (const svg of [this.own, ...this.rows.map((row) => row.track.querySelector("svg"))]) svg.setAttribute("viewBox", box);
    this.lay(this.ruler.querySelector(".strip"), 0, this.lengthS);
    [this.seek.min, this.seek.max] = [this.startS, this.startS + this.spanS];
    for (const row of this.rows) this.put(row);
  }

  /** Lay a strip of stills from when to when it lasts on the time line. */
  lay(strip, start, length) {
    if (!strip) return;
    strip.style.left = `${(100 * (start - this.startS)) / this.spanS}%`;
    strip.style.width = `${(100 * length) / this.spanS}%`;
  }

  drawOwn(found) {
    const marks = this.own.querySelector(".marks");
    if (found?.peaks) {
      const wide = (found.length_s * this.scale) / (found.peaks.length || 1);
      drawn(marks, "path", { class: "peaks", d: wavePath(found.peaks), transform: `scale(${wide} 1)` });
    }
    if (found) label(this.own, `The ${this.songs ? "pictures" : "song"} over time: ${inWords(found)}`);
    const times = found?.cuts_s ?? found?.beats_s ?? [];
    drawn(marks, "path", { class: found?.cuts_s ? "cuts" : "beats", d: markPath(times), transform: `scale(${this.scale} 1)` });
  }

  drawRow(row, found) {
    row.body = row.track.querySelector(".body");
    row.lane.querySelector(".about").textContent = inWords(found);
    if (found?.peaks) {
      const wide = (found.length_s * this.scale) / (found.peaks.length || 1);
      drawn(row.body, "path", { class: "peaks", d: wavePath(found.peaks), transform: `scale(${wide} 1)` });
      drawn(row.body, "path", { class: "beats", d: markPath(found.beats_s, 88, 100), transform: `scale(${this.scale} 1)` });
    } else {
      drawn(row.body, "rect", { class: "film", x: 0, y: 4, width: row.length * this.scale, height: 92 });
      drawn(row.body, "path", { class: "cuts", d: markPath(found?.cuts_s ?? []), transform: `scale(${this.scale} 1)` });
      this.drawStills(row);
    }
    this.put(row);
  }

  drawStills(row) {
    row.strip = row.track.querySelector(".strip");
    for (let place = 0; place < STILLS; place += 1) {
      const made = document.createElement("img");
      made.src = `${row.still}?at=${((row.length * (place + 0.5)) / STILLS).toFixed(1)}`;
      made.alt = "";
      row.strip.append(made);
    }
  }

  put(row) {
    row.body?.setAttribute("transform", `translate(${(-row.shift * this.scale).toFixed(2)} 0)`);
    this.lay(row.strip, -row.shift, row.length);
    row.track.setAttribute("aria-valuenow", row.shift.toFixed(3));
    row.track.setAttribute("aria-valuetext", this.place(row));
  }

  /** Where a row lies, in words. */
  place(row) {
    const [own, other] = this.songs ? ["pictures", "Song"] : ["song", "Pictures"];
    const late = row.shift < 0 ? `${(-row.shift).toFixed(2)} s into the ${own}` : `${row.shift.toFixed(2)} s in when the ${own} start${this.songs ? "" : "s"}`;
    return `${other} ${row.shift < 0 ? "starts " : "is "}${late}`;
  }

  show(chosen, from, to) {
    for (const row of this.rows) {
      if (row === chosen) row.link.setAttribute("aria-current", "true");
      else row.link.removeAttribute("aria-current");
      row.lane.classList.toggle("chosen", row === chosen);
      row.lane.querySelector(".heart").hidden = !row.kept;
      this.put(row);
    }
    const [before, after] = this.own.querySelectorAll(".outside");
    before.setAttribute("width", String((from ?? 0) * this.scale));
    after.setAttribute("x", String(Math.min(to ?? this.lengthS, this.lengthS) * this.scale));
    after.setAttribute("width", String(Math.max(0, this.lengthS - (to ?? this.lengthS)) * this.scale));
  }

  /** Put the playhead where it is; what is seen turns the page with it. */
  head(time) {
    if (time < this.startS || time > this.startS + this.spanS) this.from(time - 0.1 * this.spanS);
    const { offsetLeft, clientWidth } = this.ruler;
    this.playhead.style.transform = `translateX(${offsetLeft + (clientWidth * (time - this.startS)) / this.spanS}px)`;
  }

  /** Dragging a row moves it; a mere touch chooses it. */
  onDrag(row, { begin, move, end }) {
    let held = null;
    row.track.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      held = { x: event.clientX, shift: row.shift, moved: false };
      row.track.setPointerCapture(event.pointerId);
    });
    row.track.addEventListener("pointermove", (event) => {
      if (!held) return;
      const pixels = event.clientX - held.x;
      if (!held.moved && Math.abs(pixels) < 3) return;
      if (!held.moved) begin();
      held.moved = true;
      row.lane.classList.add("held");
      move(held.shift - (pixels / this.ruler.clientWidth) * this.spanS);
    });
    const letGo = () => {
      if (!held) return;
      row.lane.classList.remove("held");
      if (held.moved) end();
      else begin();
      held = null;
    };
    row.track.addEventListener("pointerup", letGo);
    row.track.addEventListener("pointercancel", letGo);
  }
}
