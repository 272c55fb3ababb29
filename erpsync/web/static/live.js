// Keeps a page up to date: fetches its changing part and replaces only the sections that differ, so that nothing
// flickers, the page stays where it is scrolled to, open tables stay open and the focus stays where it was. A section in
// which somebody types, has opened an act or has ticked a box is left as it is until they are done.
//
// When: the server says over /stream that something has changed. Without a stream, and now and then with one because ages
// grow, the page asks by itself.
(() => {
  "use strict";
  const ASK_MS = 3000;      // without a stream
  const AGES_MS = 15000;    // with one
  const PAUSE_MS = 2000;    // between two fetches at least
  const LONGEST_MS = 60000; // between two tries when nobody answers, and before a stream is tried again
  const main = document.querySelector("main[data-live]");
  const pulse = document.getElementById("pulse");
  if (!main || !pulse) return;

  const topics = (main.dataset.topics || "").split(" ").filter(Boolean);
  let timer = 0;
  let due = Infinity;
  let last = 0;
  let failures = 0;
  let asking = false;
  let again = false; // something changed while the last answer was on its way
  let kept = false; // a section that has changed was left as it is, for somebody is busy there
  let stream = null;
  let told = new Set();

  const jitter = (most) => Math.random() * most;
  const places = (root) =>
    [...root.querySelectorAll("section[id]")].filter((part) => !part.parentElement.closest("section[id]"));

  // Keys of forms are new in every page that is made, and a box that can be scrolled is marked as such here: no difference.
  function markup(part) {
    const copy = part.cloneNode(true);
    for (const key of copy.querySelectorAll("input[name=csrf], input[name=once]")) key.removeAttribute("value");
    for (const box of copy.querySelectorAll(".scroll[tabindex]")) box.removeAttribute("tabindex");
    return copy.outerHTML;
  }

  const remember = (root) => new Map(places(root).map((part) => [part.id, markup(part)]));
  let seen = remember(main);

  function isFilledIn(field) {
    if (field.type === "hidden") return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field instanceof HTMLSelectElement) {
      const preset = Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
      return !field.multiple && field.selectedIndex !== preset;
    }
    return field.value !== field.defaultValue;
  }

  function isInUse(part) {
    if (part.querySelector("details.act[open], details.menu[open], dialog[open]")) return true;
    const focused = document.activeElement;
    if (focused && part.contains(focused) && focused.matches("input:not([type=checkbox]), select, textarea")) return true;
    return [...part.querySelectorAll("input, select, textarea")].some(isFilledIn);
  }

  // What has the focus, told so that it is found again in a new section.
  const nameOf = (el) => [el.localName, el.getAttribute("href") || el.id || el.name || "", el.value || el.textContent].join();

  function replace(old, part) {
    const focused = old.contains(document.activeElement) ? nameOf(document.activeElement) : null;
    for (const open of old.querySelectorAll("details[open][id]")) {
      const same = part.querySelector("#" + CSS.escape(open.id));
      if (same) same.open = true;
    }
    const sideways = [...old.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
    old.replaceWith(part);
    [...part.querySelectorAll(".scroll")].forEach((box, at) => {
      if (sideways[at]) [box.scrollLeft, box.scrollTop] = sideways[at];
    });
    if (!focused) return;
    const again = [...part.querySelectorAll("a, summary, button, input")].find((el) => nameOf(el) === focused);
    if (again) again.focus({ preventScroll: true });
  }

  function put(fresh) {
    const parts = places(fresh);
    const now = remember(fresh);
    let before = null;
    kept = false;
    for (const part of parts) {
      const old = document.getElementById(part.id);
      if (!old) {
        if (before) before.after(part); else main.append(part);
        seen.set(part.id, now.get(part.id));
      } else if (seen.get(part.id) !== now.get(part.id)) {
        if (isInUse(old)) {
          kept = true;
        } else {
          replace(old, part);
          seen.set(part.id, now.get(part.id));
        }
      }
      before = document.getElementById(part.id);
    }
    for (const id of told) {
      const gone = now.has(id) ? null : document.getElementById(id);
      if (gone && !isInUse(gone)) gone.remove();
    }
    told = new Set(now.keys());
    document.dispatchEvent(new CustomEvent("erpsync:replaced"));
  }

  function tell(ok) {
    document.body.classList.toggle("is-cut-off", !ok);
    const said = ok ? pulse.dataset.live : pulse.dataset.stale;
    if (pulse.textContent !== said) pulse.textContent = said;
  }

  const isStreaming = () => stream !== null && stream.readyState === EventSource.OPEN;

  function wait(ms) {
    const at = Date.now() + ms;
    if (asking) again = true;
    if (asking || at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(refresh, ms);
  }

  function waitAsUsual() {
    due = Infinity;
    if (failures) return wait(Math.min(LONGEST_MS, ASK_MS * 2 ** (failures - 1)) + jitter(500));
    wait(isStreaming() ? AGES_MS + jitter(2000) : ASK_MS + jitter(400));
  }

  const soon = () => wait(Math.max(jitter(200), last + PAUSE_MS - Date.now() + jitter(300)));

  async function refresh() {
    clearTimeout(timer);
    due = Infinity;
    if (document.hidden || asking) return;
    asking = true;
    again = false;
    last = Date.now();
    try {
      const answer = await fetch(main.dataset.live, { cache: "no-store", signal: AbortSignal.timeout(10000) });
      if (answer.status === 401 || answer.redirected) return location.reload(); // the session has ended: to the log-in
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main") || page.body; // a page of its own, or a part of one
      if (String(getSelection()) === "") put(fresh);
      failures = 0;
    } catch {
      failures += 1;
    }
    asking = false;
    tell(failures === 0);
    if (again && failures === 0) soon(); else waitAsUsual();
  }

  function listen() {
    if (stream || document.hidden) return;
    stream = new EventSource("/stream");
    stream.addEventListener("begun", soon); // what happened before is not told
    stream.addEventListener("changed", (event) => {
      const changed = event.data.split(" ");
      if (topics.length === 0 || topics.some((topic) => changed.includes(topic))) soon();
    });
    stream.addEventListener("ended", () => { hush(); refresh(); });
    stream.addEventListener("error", () => {
      wait(ASK_MS + jitter(400));
      if (stream && stream.readyState === EventSource.CLOSED) {
        hush();
        setTimeout(listen, LONGEST_MS + jitter(LONGEST_MS / 2));
      }
    });
  }

  function hush() {
    if (stream) stream.close();
    stream = null;
  }

  function look() {
    if (document.hidden) return hush(); // a browser has few connections for all its pages
    listen();
    refresh();
  }

  for (const done of ["change", "focusout", "toggle"]) {
    document.addEventListener(done, () => { if (kept) soon(); }, true);
  }
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", hush);
  addEventListener("pageshow", (event) => { if (event.persisted) look(); });
  tell(true);
  listen();
  waitAsUsual();
})();
