// What is selected on the map: by a lasso, by words, by cluster or one by one; and put on a list.
const MAX_NAMED = 5;

export class Selection {
  constructor(drawing, told) {
    this.drawing = drawing;
    this.told = told;
    this.form = document.getElementById("selected");
    this.count = document.getElementById("selected-count");
    this.said = document.getElementById("selected-said");
    document.getElementById("unselect").addEventListener("click", () => this.set([]));
    this.form.addEventListener("submit", (event) => this.send(event));
    this.form.elements.list?.addEventListener("change", () => this.showName());
    this.showName();
  }

  showName() {
    const { list, name } = this.form.elements;
    if (list) name.closest("label").hidden = list.value !== "";
  }

  get rows() {
    const found = [];
    this.drawing.marks.forEach((mark, row) => mark && found.push(row));
    return found;
  }

  set(rows) {
    this.drawing.marks.fill(0);
    for (const row of rows) this.drawing.marks[row] = 1;
    this.show(rows.length);
  }

  toggle(row) {
    this.drawing.marks[row] = 1 - this.drawing.marks[row];
    this.show(this.rows.length);
  }

  show(count) {
    this.drawing.marked = count;
    this.form.hidden = count === 0;
    this.count.textContent = count === 1 ? "1 music video selected" : `${count.toLocaleString("en")} music videos selected`;
    this.said.replaceChildren();
    this.told();
  }

  /** Say which ones: the first few by name, since a picture of points tells nobody. */
  name(titles, count) {
    const more = count - titles.length;
    this.said.textContent = titles.slice(0, MAX_NAMED).join(" · ") + (more > 0 ? ` · and ${more.toLocaleString("en")} more` : "");
  }

  async send(event) {
    event.preventDefault();
    const { list, name } = this.form.elements;
    const body = new URLSearchParams({ version: this.drawing.canvas.dataset.version, rows: this.rows.join(","), list: list.value, name: name.value });
    const answer = await fetch(`${document.documentElement.dataset.root}/map/list`, { method: "POST", body });
    const found = await answer.json();
    if (!answer.ok) {
      this.said.textContent = found.detail;
      return;
    }
    const link = Object.assign(document.createElement("a"), { href: found.address, textContent: found.name });
    this.said.replaceChildren(`${found.count === 1 ? "1 is" : `${found.count} are`} on the list `, link, ".");
    if (!list.value) {
      const key = found.address.split("/").pop();
      list.prepend(new Option(found.name, key, true, true));
      this.showName();
    }
  }
}

export const FIRST_NAMED = MAX_NAMED;

/** Let a lasso be drawn with a pointer while its button is pressed. */
export function watchLasso(drawing, selection) {
  const button = document.getElementById("lasso");
  const { canvas } = drawing;
  button.addEventListener("click", () => button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true")));
  const isOn = () => button.getAttribute("aria-pressed") === "true";
  const finish = () => {
    const polygon = drawing.outline;
    drawing.outline = [];
    button.setAttribute("aria-pressed", "false");
    if (polygon.length > 2) selection.set(drawing.within(polygon));
    else drawing.draw();
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (!isOn()) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    drawing.outline = [[event.offsetX, event.offsetY]];
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!isOn() || !drawing.outline.length) return;
    drawing.outline.push([event.offsetX, event.offsetY]);
    drawing.draw();
  });
  canvas.addEventListener("pointerup", () => isOn() && drawing.outline.length && finish());
  canvas.addEventListener("pointercancel", () => isOn() && finish());
  return isOn;
}
