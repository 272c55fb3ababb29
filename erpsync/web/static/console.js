// Keeps the overview up to date: fetches its changing part and replaces only the sections that differ, so that nothing
// flickers, the page stays where it is scrolled to, open tables stay open and the focus stays where it was.
(() => {
  "use strict";
  const EVERY_MS = 3000;
  const main = document.querySelector("[data-live]");
  const pulse = document.getElementById("pulse");
  if (!main) return;
  let timer = 0;
  let seen = new Map();

  const places = (root) => [...root.querySelectorAll("section[id]")];
  const remember = (root) => new Map(places(root).map((part) => [part.id, part.outerHTML]));

  function put(fresh) {
    const focused = document.activeElement && main.contains(document.activeElement) ? document.activeElement : null;
    const mark = focused && (focused.getAttribute("href") || focused.id || focused.textContent);
    const html = remember(fresh);
    for (const part of places(fresh)) {
      if (seen.get(part.id) === html.get(part.id)) continue;
      const old = document.getElementById(part.id);
      if (!old) return location.reload();
      for (const open of old.querySelectorAll("details[open][id]")) {
        const same = part.querySelector("#" + CSS.escape(open.id));
        if (same) same.open = true;
      }
      const sideways = [...old.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
      old.replaceWith(part);
      [...part.querySelectorAll(".scroll")].forEach((box, at) => (box.scrollLeft = sideways[at] || 0));
      if (mark && !main.contains(document.activeElement)) {
        const again = [...part.querySelectorAll("a, summary")].find(
          (el) => (el.getAttribute("href") || el.id || el.textContent) === mark);
        if (again) again.focus({ preventScroll: true });
      }
    }
    seen = html;
  }

  function tell(ok) {
    document.body.classList.toggle("is-cut-off", !ok);
    const said = ok ? "Live" : "No answer from the daemon. These figures are old.";
    if (pulse.textContent !== said) pulse.textContent = said;
  }

  async function refresh() {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const answer = await fetch(main.dataset.live, { cache: "no-store", signal: AbortSignal.timeout(10000) });
      if (answer.status === 401) return location.reload();  // the session has ended: the page leads to the log-in
      if (!answer.ok) throw new Error(String(answer.status));
      const selecting = String(getSelection()) !== "";
      if (!selecting) put(new DOMParser().parseFromString(await answer.text(), "text/html").body);
      tell(true);
    } catch {
      tell(false);
    }
    timer = setTimeout(refresh, EVERY_MS);
  }

  seen = remember(main);
  document.addEventListener("visibilitychange", refresh);
  tell(true);
  timer = setTimeout(refresh, EVERY_MS);
})();
