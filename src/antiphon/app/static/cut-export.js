// Asks for a film, and saves it; without this script the browser sends the form and saves the answer.

const KEPT_MS = 60_000;

/** Save the film of an address; resolves to what became of it, in words. */
export async function saveFilm(address) {
  let answer;
  try {
    answer = await fetch(address, { method: "POST", headers: { "HX-Request": "true" } });
    if (!answer.ok) return await reason(answer);
    const film = URL.createObjectURL(await answer.blob());
    const link = document.createElement("a");
    link.href = film;
    link.download = nameIn(answer.headers.get("content-disposition") ?? "");
    link.click();
    setTimeout(() => URL.revokeObjectURL(film), KEPT_MS);
    return "The film is saved.";
  } catch {
    return "The service does not respond. Is it still running?";
  }
}

/** Why the service refused, as it says it itself. */
async function reason(answer) {
  const text = await answer.text();
  if (answer.headers.get("content-type")?.startsWith("application/json")) return JSON.parse(text).detail;
  const said = new DOMParser().parseFromString(text, "text/html").querySelector("[role=alert]");
  return said?.textContent.trim() ?? "The service refused the request.";
}

function nameIn(header) {
  const name = /filename\*=UTF-8''([^;]+)/.exec(header)?.[1];
  return name ? decodeURIComponent(name) : "film.mp4";
}
