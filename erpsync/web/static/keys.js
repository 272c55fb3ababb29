// What can be done with a key: / finds, j and k walk the rows, enter opens one, x ticks it, ? lists the keys. Never while
// somebody types, and never with a key that belongs to the browser. They can be switched off in the list, for whoever
// speaks to a browser (WCAG 2.2, success criterion 2.1.4).
(() => {
  "use strict";
  const OFF = "erpsync-keys-off";
  const list = document.getElementById("keys");
  const on = document.querySelector("input[data-keys-on]");
  let at = null; // the address of the row that was walked to: rows are replaced, what they lead to stays

  const rows = () => [...document.querySelectorAll("tr[data-row]")];
  const link = (row) => row.querySelector("[data-open]");
  const place = (row) => (link(row) || {}).href || row.textContent;
  const current = () => {
    const within = document.activeElement && document.activeElement.closest("tr[data-row]");
    return within || rows().find((row) => place(row) === at) || null;
  };

  function mark() {
    for (const row of rows()) row.classList.toggle("is-at", at !== null && place(row) === at);
  }

  function walk(by) {
    const all = rows();
    if (all.length === 0) return;
    const from = all.indexOf(current());
    const row = all[from < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, from + by))];
    at = place(row);
    mark();
    if (link(row)) link(row).focus();
    row.scrollIntoView({ block: "nearest" });
  }

  function tick() {
    const box = current() && current().querySelector("input[data-pick]");
    if (box) box.click();
  }

  function openRow(event) {
    const focused = document.activeElement;
    if (focused && focused !== document.body && !focused.matches("tr, input[data-pick]")) return; // it has its own enter
    const row = current();
    if (!row || !link(row)) return;
    event.preventDefault();
    link(row).click();
  }

  function find(event) {
    const box = document.querySelector("form.find input[type=search]");
    if (!box) return;
    event.preventDefault();
    box.focus();
    box.select();
  }

  function isTyping(el) {
    return el instanceof Element && el.matches("input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable]");
  }

  function showKeys() {
    if (list && !list.open) list.showModal();
  }

  // A scanner types a number and presses enter: the next field is the next parcel's.
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (event.key !== "Enter" || event.isComposing || !(field instanceof Element) || !field.matches("input[data-scan]")) return;
    const fields = [...field.form.querySelectorAll("input[data-scan]")];
    const next = fields[fields.indexOf(field) + 1];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });

  const KEYS = { "/": find, j: () => walk(1), k: () => walk(-1), x: tick, Enter: openRow, "?": showKeys };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (event.key === "Escape" && isTyping(event.target) && event.target.matches("form.find input")) event.target.blur();
    if (isTyping(event.target) || document.querySelector("dialog[open]") || (on && !on.checked)) return;
    if (Object.hasOwn(KEYS, event.key)) KEYS[event.key](event);
  });

  if (on) {
    on.checked = localStorage.getItem(OFF) === null;
    on.addEventListener("change", () => {
      if (on.checked) localStorage.removeItem(OFF); else localStorage.setItem(OFF, "1");
    });
  }
  for (const button of document.querySelectorAll("button[data-keys]")) {
    button.hidden = !list;
    button.addEventListener("click", showKeys);
  }
  if (list) list.addEventListener("click", (event) => { if (event.target === list) list.close(); });
  document.addEventListener("erpsync:replaced", mark);
})();
