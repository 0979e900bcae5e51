// Waveforms as SVG paths, drawn from what the service has measured.

const SVG = "http://www.w3.org/2000/svg";
const asked = new Map();

/** The outline of a file's sound or pictures, asked for once; null where there is none. */
export function outlineOf(address) {
  if (!asked.has(address)) {
    asked.set(address, fetch(address).then((found) => (found.ok ? found.json() : null)).catch(() => null));
  }
  return asked.get(address);
}

/** A path around the peaks, one unit wide for each, between 0 and 100. */
export function wavePath(peaks) {
  const heights = peaks.map((peak) => Math.max(0.8, 46 * Math.sqrt(peak / 255)));
  const top = heights.map((height, place) => `${place} ${(50 - height).toFixed(1)}`);
  const bottom = heights.map((height, place) => `${place} ${(50 + height).toFixed(1)}`).reverse();
  return heights.length ? `M${top.join("L")}L${bottom.join("L")}Z` : "";
}

/** Lines from top to bottom at these times. */
export const markPath = (timesS, from = 0, to = 100) => timesS.map((time) => `M${time} ${from}V${to}`).join("");

/** Say what a drawing shows; "" for one that shows nothing. */
export function label(svg, words) {
  if (words) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", words);
    svg.removeAttribute("aria-hidden");
  } else svg.setAttribute("aria-hidden", "true");
}

/** A new element of an SVG. */
export function drawn(parent, name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}
