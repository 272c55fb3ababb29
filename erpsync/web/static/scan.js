// A scanner types a code and presses enter: the code is sent behind the page, which stays, so that the next scan is
// never lost to a page that is just being loaded. Codes are answered one after the other. Whatever does not count is
// heard: whoever packs looks at the parcel. What is typed beside the field goes into it: a scanner knows no focus.
(() => {
  "use strict";
  const form = document.getElementById("scan");
  if (!form) return;
  const code = form.elements.code;
  const parts = ["scan-asked", "scan-label", "scan-answer", "scan-last"];
  let turn = Promise.resolve();
  let sound = null;

  // Two low tones: heard in a warehouse, and unlike the scanner's own.
  function beep() {
    try {
      sound = sound || new AudioContext();
      for (const at of [0, 0.22]) {
        const tone = sound.createOscillator();
        const loud = sound.createGain();
        tone.type = "square";
        tone.frequency.value = 220;
        loud.gain.value = 0.2;
        tone.connect(loud).connect(sound.destination);
        tone.start(sound.currentTime + at);
        tone.stop(sound.currentTime + at + 0.16);
      }
    } catch {
      // a browser without sound shows it in red all the same
    }
  }

  function show(page) {
    for (const id of parts) {
      const fresh = page.getElementById(id);
      const old = document.getElementById(id);
      if (fresh && old) old.replaceWith(fresh);
    }
    const asked = page.querySelector("#scan select[name=carrier]");
    if (asked && form.elements.carrier) form.elements.carrier.required = asked.required;
    const said = document.querySelector("#scan-answer [data-tone]");
    if (said && said.dataset.tone === "no") beep();
    if (asked && asked.required && !form.elements.carrier.value) form.elements.carrier.focus(); else code.focus();
  }

  function lost(text) {
    const said = document.createElement("section");
    said.className = "scan-said is-no";
    said.dataset.tone = "no";
    const line = document.createElement("p");
    line.className = "big";
    line.textContent = `✗ ${form.dataset.lost} ${text}`;
    said.append(line);
    document.getElementById("scan-answer").replaceChildren(said);
    beep();
    code.focus();
  }

  async function send(text) {
    const fields = new FormData(form); // with what the answer before asked for
    fields.set("code", text);
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new URLSearchParams(fields), signal: AbortSignal.timeout(20000),
      });
      if (answer.redirected || answer.status === 401) return location.reload(); // the session has ended
      if (!answer.ok) throw new Error(String(answer.status));
      show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      lost(text);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = code.value.trim();
    code.value = "";
    if (text) turn = turn.then(() => send(text));
  });

  const carrier = form.elements.carrier;
  if (carrier) {
    carrier.addEventListener("change", () => code.focus());
    carrier.addEventListener("invalid", () => { // a label was scanned before the courier was said: it is scanned again
      code.value = "";
      beep();
    });
  }

  document.addEventListener("keydown", (event) => {
    const sign = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!sign || event.isComposing || event.target.matches("input, textarea")) return;
    event.stopImmediatePropagation(); // no key of the console is meant
    code.focus();
  }, true);

  // Not on a phone, where the keys would cover the page.
  document.addEventListener("focusout", () => {
    if (!matchMedia("(pointer: fine)").matches) return;
    setTimeout(() => { if (document.activeElement === document.body) code.focus(); }, 60);
  });
})();
