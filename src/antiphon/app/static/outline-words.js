// What a drawing of a file's sound or pictures shows, for those who do not see it.
import { clock } from "./clock.js";

const PARTS = 10;

/** Say what an outline draws: how loud it is where, and its beats; or its cuts. "" where there is none. */
export function inWords(found) {
  if (!found) return "";
  if (!found.peaks) return cutsInWords(found.cuts_s, found.length_s);
  if (!found.peaks.some((peak) => peak > 0)) return "Silent.";
  const count = found.beats_s.length;
  const rate = Math.round((60 * count) / found.length_s);
  return `${loudnessInWords(found)}; ${count > 1 ? `${count} beats, about ${rate} a minute` : "no beats"}.`;
}

function cutsInWords(cuts, length) {
  if (!cuts.length) return "No cuts.";
  return cuts.length === 1 ? "1 cut." : `${cuts.length} cuts, one about every ${(length / (cuts.length + 1)).toFixed(1)} s.`;
}

function loudnessInWords({ peaks, length_s: length }) {
  const parts = Math.min(PARTS, peaks.length);
  const edge = (part) => Math.round((part * peaks.length) / parts);
  const loudness = Array.from({ length: parts }, (_, part) => mean(peaks.slice(edge(part), edge(part + 1))));
  const when = (part) => `from ${clock((length * part) / parts)} to ${clock((length * (part + 1)) / parts)}`;
  return `Loudest ${when(loudness.indexOf(Math.max(...loudness)))}, quietest ${when(loudness.indexOf(Math.min(...loudness)))}`;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
