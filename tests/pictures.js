// Lists the pictures of a page in whose place nothing is said.
() => {
  const text = (node) => (node?.textContent ?? "").trim();
  const byIds = (ids) => (ids ?? "").split(" ").map((id) => text(document.getElementById(id))).join(" ").trim();
  const name = (node) => node.getAttribute("aria-label")?.trim() || byIds(node.getAttribute("aria-labelledby"));
  const roles = ["img", "group", "application"];
  const isSaid = (node) => roles.includes(node.getAttribute("role")) && name(node).includes(" ");

  /** Whether what is hidden from who listens repeats what stands beside it: a text, or another picture of the same. */
  const isRepeated = (node) => {
    let outer = node;
    for (let one = node; one; one = one.parentElement) if (one.getAttribute("aria-hidden") === "true") outer = one;
    const parent = outer.parentElement;
    const others = [...parent.childNodes].filter((one) => one !== outer);
    const isBeside = (one) => text(one) !== "" || (one instanceof Element && isSaid(one));
    return others.some(isBeside) || byIds(parent.getAttribute("aria-describedby")) !== "";
  };

  const isDrawn = (node) => {
    const parts = [...node.querySelectorAll("path, rect, circle, line, text")];
    return node.localName === "canvas" || parts.some((one) => one.getBBox().width > 0);
  };

  const isBesideText = (node) => {
    let outer = node.parentElement;
    for (let steps = 0; steps < 4 && outer; steps += 1, outer = outer.parentElement) {
      if (text(outer) || name(outer)) return true;
    }
    return false;
  };

  const drawings = [...document.querySelectorAll("svg, canvas")].filter(isDrawn);
  const silent = drawings.filter((one) => !(one.closest("[aria-hidden=true]") ? isRepeated(one) : isSaid(one)));
  const images = [...document.images].filter((one) => !one.hasAttribute("alt") || (!one.alt && !isBesideText(one)));
  return [...silent, ...images].map((one) => one.outerHTML.slice(0, 200));
}
