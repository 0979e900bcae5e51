// Hearts: what is on the list that was opened last. Without this script a heart leads to the list.

const root = document.documentElement.dataset.root;
let kept = new Set();
let queue = Promise.resolve(); // One after the other: the first heart begins the list that the second goes to.

function mark(form) {
  form.querySelector("button").setAttribute("aria-pressed", String(kept.has(form.elements.id.value)));
}

/** Show on every heart whether its music video is kept. */
export function markKept() {
  document.querySelectorAll("form.heart").forEach(mark);
}

async function keep(form, say) {
  const id = form.elements.id.value;
  try {
    const answer = await fetch(form.action, {
      method: "POST", headers: { accept: "application/json" }, body: new URLSearchParams({ id }),
    });
    if (!answer.ok) throw new Error(answer.status);
    const { name, kept: isKept } = await answer.json();
    if (isKept) kept.add(id);
    else kept.delete(id);
    markKept();
    say(isKept ? `On “${name}”` : `No longer on “${name}”`);
  } catch {
    say("The list cannot be changed.");
  }
}

/** Keep without leaving the page, and say what became of it. */
export async function watchHearts(say) {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form.heart")) return;
    event.preventDefault();
    queue = queue.then(() => keep(form, say));
  });
  if (!document.querySelector("form.heart")) return;
  const answer = await fetch(`${root}/keep.json`);
  if (!answer.ok) return;
  kept = new Set((await answer.json()).ids);
  markKept();
}
