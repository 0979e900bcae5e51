// The card of a point of the map: what it is, and a player.
export const [ID, TITLE, ARTIST, GENRE, MEDIA, AT] = [0, 1, 2, 3, 4, 5];

export const address = (place, id) => `${document.documentElement.dataset.root}/${place}/${encodeURIComponent(id)}`;

function line(name, text, className) {
  return Object.assign(document.createElement(name), { textContent: text, className });
}

export function cardOf(about) {
  const title = line("p", "", "title");
  title.append(Object.assign(line("a", about[TITLE], ""), { href: address("video", about[ID]) }));
  const words = line("div", "", "words");
  words.append(title, line("p", about[ARTIST], "artist"), line("p", about[GENRE], "small"), line("p", about[ID].startsWith("file:") ? "" : about[ID], "id"));
  return [player(about), words];
}

function player(about) {
  const made = line("button", "", "player");
  made.type = "button";
  made.dataset.here = "";
  made.setAttribute("aria-pressed", "false");
  made.setAttribute("aria-label", `Play ${about[TITLE]}`);
  if (about[MEDIA]) {
    Object.assign(made.dataset, { video: about[MEDIA], audio: about[MEDIA], videoAt: about[AT], audioAt: about[AT] });
    const image = document.createElement("img");
    image.src = address("thumbnail", about[ID]);
    image.alt = "";
    made.append(image);
  } else {
    made.disabled = true;
    made.append(line("span", "Nothing to play", "blank"));
  }
  made.append(line("span", "", "icon"), line("span", "", "progress"));
  return made;
}
