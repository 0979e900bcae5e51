// Hearts: what is on the list that was opened last. Without this script a heart leads to the list.

const root = document.documentElement.dataset.root;
let kept = new Set();

function mark(form) {
  form.querySelector("button").setAttribute("aria-pressed", String(kept.has(form.elements.id.value)));
}

/** Show on every heart whether its music video is kept. */
export function markKept() {
  document.querySelectorAll("form.heart").forEach(mark);
}

/** Keep without leaving the page, and say what became of it. */
export async function watchHearts(say) {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form.heart")) return;
    event.preventDefault();
    const id = form.elements.id.value;
    const answer = await fetch(form.action, {
      method: "POST", headers: { accept: "application/json" }, body: new URLSearchParams({ id }),
    });
    if (!answer.ok) {
      say("The list cannot be changed.");
      return;
    }
    const { name, kept: isKept } = await answer.json();
    if (isKept) kept.add(id);
    else kept.delete(id);
    markKept();
    say(isKept ? `On “${name}”` : `No longer on “${name}”`);
  });
  if (!document.querySelector("form.heart")) return;
  const answer = await fetch(`${root}/keep.json`);
  if (!answer.ok) return;
  kept = new Set((await answer.json()).ids);
  markKept();
}
