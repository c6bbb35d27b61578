// Filters the rows of the ledger by verdict, chapter and words. Without it, the page shows them all.
(() => {
  const table = document.querySelector("table.claims-ledger");
  const counts = document.querySelector(".ledger-counts");
  if (!table || !counts) return;

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const plain = (text) => text.toLowerCase().replaceAll("’", "'").replace(/\s+/g, " ");

  const rows = [...table.tBodies[0].rows].map((element) => ({
    element,
    verdict: element.querySelector(".verdict-badge").textContent,
    chapter: element.querySelector(".ledger-evidence a.reference.internal")?.textContent ?? "",
    words: plain(element.textContent),
  }));
  const tally = (key) => rows.reduce((found, row) => found.set(row[key], (found.get(row[key]) ?? 0) + 1), new Map());

  const verdicts = make("fieldset", {}, make("legend", { textContent: "Verdict" }));
  for (const badge of counts.querySelectorAll(".verdict-badge")) {
    const verdict = badge.textContent.replace(/^\d+ /, "");
    const box = make("input", { type: "checkbox", name: "verdict", value: verdict });
    verdicts.append(make("label", {}, box, badge.cloneNode(true)));
  }

  const chapter = make("select", { name: "chapter" }, make("option", { value: "", textContent: "all" }));
  for (const [name, number] of tally("chapter")) {
    if (name) chapter.append(make("option", { value: name, textContent: `${name} (${number})` }));
  }
  const words = make("input", { type: "search", name: "words", autocomplete: "off", spellcheck: false });
  const reset = make("button", { type: "reset", textContent: "Show all" });
  const status = make("p", { className: "ledger-status" });
  status.setAttribute("role", "status"); // which is also aria-live="polite"; both, for older readers
  status.setAttribute("aria-live", "polite");

  const form = make("form", { className: "ledger-filter" }, verdicts,
    make("label", {}, "Chapter ", chapter), make("label", {}, "Words ", words), reset, status);
  form.setAttribute("role", "search");
  form.setAttribute("aria-label", "Filter the claims");

  const update = () => {
    const wanted = [...verdicts.querySelectorAll("input:checked")].map((box) => box.value);
    const sought = plain(words.value).split(" ").filter(Boolean);
    let shown = 0;
    for (const { element, ...row } of rows) {
      element.hidden = !(
        (!wanted.length || wanted.includes(row.verdict)) &&
        (!chapter.value || row.chapter === chapter.value) &&
        sought.every((word) => row.words.includes(word))
      );
      if (!element.hidden) shown += 1;
    }
    status.textContent = shown ? `${shown} of ${rows.length} claims shown` : "No claim fits. Show all brings them back.";
    reset.hidden = shown === rows.length && !words.value;
  };

  // A link to one claim shows it, whatever the filter said before.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target?.hidden) {
      form.reset();
      setTimeout(() => target.scrollIntoView());
    }
  };

  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    setTimeout(update); // once the fields are empty
    words.focus({ preventScroll: true }); // for the button goes away
  });
  addEventListener("hashchange", reveal);
  counts.replaceWith(form);
  update();
})();
