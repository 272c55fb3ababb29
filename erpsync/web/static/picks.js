// Rows that are ticked: all at once, from one to another with shift, counted in the bar below, whose buttons do nothing
// while none is.
(() => {
  "use strict";
  let last = null;

  const picks = (root) => [...root.querySelectorAll("input[data-pick]")];
  const peers = (box) => picks(box.closest("table") || document);

  function count() {
    for (const bar of document.querySelectorAll("form[data-picked]")) {
      const chosen = picks(document).filter((box) => box.form === bar && box.checked).length;
      const said = bar.querySelector(".count");
      const text = (document.body.dataset.chosen || "").replace("{n}", String(chosen));
      if (said && said.textContent !== text) said.textContent = text;
      for (const field of bar.elements) if (field.localName === "button") field.disabled = chosen === 0;
    }
    for (const all of document.querySelectorAll("input[data-pick-all]")) {
      const boxes = peers(all);
      const chosen = boxes.filter((box) => box.checked).length;
      all.checked = boxes.length > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    }
  }

  document.addEventListener("click", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || !box.matches("[data-pick]")) return;
    const row = peers(box);
    if (event.shiftKey && last && row.includes(last)) {
      const [from, to] = [row.indexOf(last), row.indexOf(box)].sort((one, two) => one - two);
      for (const between of row.slice(from, to + 1)) between.checked = box.checked;
    }
    last = box;
    count();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("input[data-pick-all]")) {
      for (const box of peers(event.target)) box.checked = event.target.checked;
    }
    if (event.target.matches("input[data-pick-all], input[data-pick]")) count();
  });

  document.addEventListener("erpsync:replaced", count);
  addEventListener("pageshow", count); // a browser that goes back ticks the boxes again
  count();
})();
