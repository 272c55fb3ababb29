// Menus and acts open without a script. With one, those that are open close on Esc and on a click elsewhere, one at a
// time is open, and what is asked for has the focus. Tables that are wider than their place can be moved by keys.
(() => {
  "use strict";
  const MENUS = "details.menu, details.act";
  const open = () => [...document.querySelectorAll("details.menu[open], details.act[open]")];

  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    for (const menu of open()) {
      const within = menu.contains(document.activeElement);
      menu.open = false;
      if (within) menu.querySelector("summary").focus();
    }
  });

  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!menu.matches(MENUS) || !menu.open || !matchMedia("(pointer: fine)").matches) return;
    const field = menu.querySelector("input:not([type=hidden]), select, textarea");
    if (field && menu.contains(document.activeElement)) field.focus();
  }, true);

  function reach() {
    for (const box of document.querySelectorAll(".scroll")) {
      const hides = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
      if (hides) box.tabIndex = 0; else box.removeAttribute("tabindex");
    }
  }

  document.addEventListener("toggle", reach, true);
  document.addEventListener("erpsync:replaced", reach);
  addEventListener("resize", reach);
  reach();
})();
