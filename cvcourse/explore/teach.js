// Teach it yourself: pictures of one's own, and a head that learns them on the book's frozen backbone.

const TEACHERS = 6, POOL = 20, ROUNDS = 10, CLASSES = 4, MOST = 150; // the last: pictures on the card

// The ready pictures: which have a label to begin with, [picture, label]; the pool; those for the test.
function begun({ labels, names, start }) {
  const own = names.map((_, c) => labels.flatMap((label, i) => (label === c ? [i] : [])));
  const count = (c) => ({ fair: 2, lopsided: c ? 1 : TEACHERS, wrong: 3 })[start];
  const given = own.flatMap((all, c) => all.slice(0, count(c)).map((i, place) =>
    [i, start === "wrong" && place === 2 ? (c + 1) % names.length : c]));
  const part = (from, to) => own.flatMap((all) => all.slice(from, to)).sort((a, b) => a - b);
  return { given, pool: part(TEACHERS, TEACHERS + POOL), test: part(TEACHERS + POOL) };
}

// pixels: all ready pictures, channel by channel, in base64.
function compute({ network: exported, pixels, threshold, rounds, ...state }) {
  const run = network(exported), bytes = bytesOf(pixels), length = 3 * SIDE * SIDE, { given, pool, test } = begun(state);
  const features = state.labels.map((_, i) => [...run(bytes.subarray(i * length, (i + 1) * length))]);
  const item = (i, label = -1) => ({ features: features[i], label, truth: state.labels[i] });
  const { found, probabilities } = finished(teach({ items: [...given.map(([i, label]) => item(i, label)), ...pool.map((i) => item(i))],
    test: test.map((i) => item(i)), classes: state.names.length, threshold, rounds }));
  return { features, probabilities: features.map(probabilities),
    rounds: found.map(({ weights, taken, right, accuracy }) => ({ weights: weights.map((w) => [...w]), taken, right, accuracy })) };
}

// The sheet with its pen, for mouse, touch and keys: arrows lead the pen, space puts it down and lifts it.
function drawing(changed) {
  const paper = sheet();
  const stage = h("canvas", { width: SHEET, height: SHEET, role: "img", "aria-label": "The drawing" });
  const tip = h("svg:circle", { class: "cvx-teach-tip", r: 0.9, fill: "none", stroke: "var(--cvx-orange)", "stroke-width": 0.35 });
  const pad = h("svg:svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, tabindex: 0, role: "application", "data-tool": "draw",
    "aria-label": "The sheet: draw on it. With keys, arrows lead the pen, space puts it down and lifts it" }, tip);
  const { element, pen, ink } = pens();
  let at = [16, 16], down = false, last;
  const act = (change) => { paper.remember(); change(); changed(); };
  const line = (to) => {
    const { colour, width } = pen();
    paper.line((last ?? to).map((x) => x / SIDE), to.map((x) => x / SIDE), colour, width);
    last = to;
    changed();
  };
  const lead = (to) => {
    at = to.map((x) => Math.max(0, Math.min(SIDE, x)));
    tip.setAttribute("cx", at[0]);
    tip.setAttribute("cy", at[1]);
    tip.setAttribute("fill", down ? "var(--cvx-orange)" : "none");
    if (down) line(at);
  };
  pad.addEventListener("pointerdown", () => { paper.remember(); [down, last] = [false, undefined]; });
  draggable(pad, pad, ({ x, y }) => { line([x, y]); lead([x, y]); }, ({ x, y }) => lead([at[0] + x, at[1] + y]));
  pad.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    down = !down;
    if (down) [last] = [undefined, paper.remember()];
    lead(at);
  });
  const sheets = buttons("Sheet", { ...Object.fromEntries(Object.keys(SHEETS).map((name) => [name, () => {
    act(() => paper.fill(SHEETS[name]));
    ink(INKS[name]);
  }])), "undo": () => { paper.undo(); changed(); } });
  paper.fill(SHEETS["white sheet"]);
  lead(at);
  return {
    element: h("div", {}, h("div", { class: "cvx-stack" }, stage, pad), h("div", { class: "cvx-controls" }, sheets.element, element)),
    seen: () => view(paper.pixels(), STILL, SIDE, 4),
    show: () => paint(stage, paper.pixels().data),
    put: (image) => act(() => paper.picture(image)),
  };
}

// The pixels of the ready pictures, which stand one below the other, RGBA.
function pixels_of(strip) {
  const context = h("canvas", { width: SIDE, height: strip.height }).getContext("2d", { willReadFrequently: true });
  context.drawImage(strip, 0, 0);
  return context.getImageData(0, 0, SIDE, strip.height).data;
}

// A picture of any size as the backbone sees it.
function shrunk(image) {
  const paper = sheet();
  paper.picture(image);
  return view(paper.pixels(), STILL, SIDE, 4);
}

// One row of the collection: a class, or the pictures without a label. Its parts are called after it.
function shelf(label, { rename, add, files }) {
  const name = h("input", { type: "text", value: label, maxlength: 20, "data-lm-suppress-shortcuts": "true",
    input: () => { call(name.value); rename(name.value); } });
  const ways = [h("button", { type: "button", click: add }, "+ sheet"), ...files];
  const thumbs = h("div", { class: "cvx-teach-thumbs" }), share = bar("grey");
  const element = h("div", { class: "cvx-teach-shelf", role: "group" },
    h("div", { class: "cvx-teach-head" }, rename ? name : h("b", {}, label), ...ways, ...(rename ? [share.element] : [])), thumbs);
  const call = (text) => [[element, text], [name, `Name of the class ${text}`], ...ways.map((way) => [way, `${way.textContent || "Files"}: ${text}`])]
    .forEach(([part, words]) => part.setAttribute("aria-label", words));
  call(label);
  return { element, thumbs, share };
}

function thumbnail(item, words, mark, act) {
  const canvas = h("canvas", { width: SIDE, height: SIDE });
  paint(canvas, item.seen);
  return h("button", { type: "button", "aria-label": words, title: words, "data-mark": mark.was, click: act },
    canvas, h("span", { "aria-hidden": "true" }, mark.sign));
}

const BEGIN = { "two of each": "fair", "lopsided": "lopsided", "wrong labels": "wrong" };

function render({ model, el }) {
  const [exported, truths] = [model.get("network"), model.get("labels")];
  const run = network(exported);
  let names = [], items = [], test = [], ready = [], taught, shelves = [], rest = () => {}, frame, took = 0;

  const paper = drawing(() => { frame ??= requestAnimationFrame(look); });
  const { fault, doors, end } = bring(el, (where) => {
    const c = shelves.findIndex(({ element }) => element.contains(where));
    return (image) => add(c < names.length ? c : -1, shrunk(image));
  }, true);
  const rows = h("div", { class: "cvx-teach-shelves" }), results = h("div", { class: "cvx-teach-results" });
  const begin = buttons("Begin with", { ...Object.fromEntries(Object.entries(BEGIN).map(([text, start]) =>
    [text, () => { put(model, { start, rounds: 0 }); fresh(); }])), "nothing": () => { put(model, { rounds: 0 }); empty(); } });
  const another = h("button", { type: "button", click: () => { names.push(`class ${names.length + 1}`); build(); again(); } }, "another class");
  const threshold = slider("Threshold", { min: 0.5, max: 1, step: 0.01 }, (value) => put(model, { threshold: value }));
  const train = buttons("Without labels", {
    "let it label the sure ones": () => put(model, { rounds: Math.min(ROUNDS, model.get("rounds") + 1) }),
    "forget its labels": () => put(model, { rounds: 0 }) });
  const [label_more, forget] = train.element.querySelectorAll("button");
  const note = h("p", { class: "cvx-name cvx-own-note" }, "Nothing leaves this page: the backbone is in it, and the head learns here. Your browser checks now that its features are PyTorch's.");
  const say = card(el, "Teach it yourself", h("div", { class: "cvx-controls" }, begin.element), fault,
    h("div", { class: "cvx-teach" }, paper.element, h("div", {}, rows, another)),
    h("div", { class: "cvx-controls" }, threshold.element, train.element), results,
    note);

  function* check() {
    const off = yield* deviation(exported, run);
    note.textContent = off < 1e-3
      ? `Nothing leaves this page: the backbone is in it, and the head learns here. Checked just now in your browser: its features are PyTorch's, to ${off < 1e-5 ? "0.00001" : off.toPrecision(1)}.`
      : `In your browser the features differ from PyTorch's by up to ${off.toPrecision(2)}: do not rely on what you see.`;
  }

  const percent = (share) => `${Math.round(100 * share)} %`;
  const called = (c) => names[c] || `class ${c + 1}`;

  // Collect a picture; the head learns anew.
  function add(label, seen, more = {}) {
    fault.textContent = items.length < MOST ? "" : `There is room for ${MOST} pictures. Take one out first.`;
    if (items.length >= MOST) return;
    items.push({ seen, label, ...more });
    again();
  }
  function take_out(item) {
    const canvas = h("canvas");
    paint(canvas, item.seen);
    paper.put(canvas);
    items = items.filter((other) => other !== item);
    again();
  }

  function build() {
    shelves = [...names.map((name, c) => shelf(name, { rename: (text) => { names[c] = text; tell(); },
      add: () => add(c, paper.seen()), files: doors("files …", "") })),
    shelf("without a label", { add: () => add(-1, paper.seen()), files: doors("files …", "") })];
    rows.replaceChildren(...shelves.map(({ element }) => element));
    fill(); // at once, or what stands below would jump
    another.disabled = names.length >= CLASSES;
  }
  function fresh() {
    const start = model.get("start"), { given, pool, test: others } = begun({ labels: truths, names: model.get("names"), start });
    names = [...model.get("names")];
    items = [...given, ...pool.map((i) => [i, -1])].map(([i, label]) => ({ ...ready[i], label }));
    test = others.map((i) => ready[i]);
    begin.press(Object.keys(BEGIN).find((text) => BEGIN[text] === start));
    build();
    again();
  }
  function empty() {
    [names, items, test] = [["class 1", "class 2"], [], []];
    begin.press("nothing");
    build();
    again();
  }

  // All the work from the pictures to the answers.
  function* all_of_it() {
    for (const item of [...items, ...test]) {
      item.features ??= run(planes(item.seen));
      yield;
    }
    const classes = new Set(items.map(({ label }) => label).filter((label) => label >= 0));
    if (classes.size < 2) return undefined;
    const since = performance.now();
    const result = yield* teach({ items, test, classes: names.length, threshold: model.get("threshold"), rounds: model.get("rounds") });
    took = performance.now() - since;
    return result;
  }
  function again() {
    rest();
    threshold.show(model.get("threshold"), fixed(model.get("threshold"), 2));
    if (!taught) [label_more, forget].forEach((button) => { button.disabled = true; });
    if (!taught) say("The head is learning from these pictures …");
    rest = in_slices(all_of_it(), ({ done, value }) => {
      if (!done) return;
      taught = value;
      tell();
      look();
    });
  }

  // What the head says of the sheet.
  function look() {
    frame = undefined;
    paper.show();
    const p = taught?.probabilities(run(planes(paper.seen())));
    names.forEach((_, c) => {
      const { element, show } = shelves[c].share;
      show(p?.[c] ?? 0, p?.[c] === undefined ? "–" : percent(p[c]));
      element.firstChild.style.setProperty("--tone", `var(--cvx-${p && c === top(p) ? "blue" : "grey"})`);
    });
  }

  function mark(item, last) {
    const label = last?.own.get(item), p = last?.said.get(item);
    const words = p ? `it says ${called(top(p))}, ${percent(Math.max(...p))}` : "not judged yet";
    if (label === undefined) return { was: "unsure", sign: p ? percent(Math.max(...p)) : "", words };
    const [was, sign] = item.truth === undefined ? ["taken", "●"] : item.truth === label ? ["right", "✓"] : ["wrong", "✗"];
    return { was, sign: `${sign} ${called(label)}`, words: `${words}; it has learned from this as ${called(label)}${{ right: ", which is right", wrong: ", which is wrong" }[was] ?? ""}` };
  }
  // Every picture on its shelf, with what the head last said of it.
  function fill() {
    const last = taught?.found.at(-1);
    shelves.forEach(({ thumbs }, c) => {
      const label = c < names.length ? c : -1;
      thumbs.replaceChildren(...items.filter((item) => item.label === label).map((item, i) => {
        const shown = label < 0 ? mark(item, last) : { was: item.truth === undefined || item.truth === label ? "given" : "wrong", sign: item.truth === undefined || item.truth === label ? "" : "✗" };
        const what = label < 0 ? `Picture ${i + 1} without a label: ${shown.words}` : `Picture ${i + 1} of ${called(label)}${shown.sign && ", a wrong label"}`;
        return thumbnail(item, `${what}. Take it back to the sheet`, shown, () => take_out(item));
      }));
    });
  }
  function tell() {
    const found = taught?.found ?? [], last = found.at(-1), rounds = model.get("rounds");
    fill();
    threshold.show(model.get("threshold"), fixed(model.get("threshold"), 2));
    label_more.disabled = !last || rounds >= ROUNDS || !items.some(({ label }) => label < 0);
    forget.disabled = !rounds;
    const head = ["labels of its own", "of them right", ...(test.length ? [`right on ${test.length} others`] : [])];
    results.replaceChildren(...(last ? [h("table", {}, h("thead", {}, h("tr", {}, h("td"), ...head.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, ...found.map((one, n) => h("tr", {}, h("th", { scope: "row" }, n ? `round ${n}` : "given labels"),
        h("td", {}, n ? String(one.taken) : "–"), h("td", {}, n && one.checked ? String(one.right) : "–"), ...(test.length ? [h("td", {}, percent(one.accuracy))] : [])))))] : []));
    if (!last) return say("Give at least two classes a picture each: draw one and press “+ sheet”, choose files, or drop them on a row.");
    const labelled = items.filter(({ label }) => label >= 0).length, pool = items.length - labelled, [first] = found;
    const gain = Math.round(100 * last.accuracy) - Math.round(100 * first.accuracy);
    const counts = names.map((_, c) => `${items.filter(({ label }) => label === c).length} × ${called(c)}`).join(", ");
    return say(`The head has learned from ${labelled} labelled pictures (${counts}) in ${fixed(took / 1000, 2)} s.`
      + (test.length ? ` It ${rounds ? "was" : "is"} right on ${percent(first.accuracy)} of ${test.length} pictures that it has not seen.` : "")
      + (rounds ? ` After ${rounds} round${rounds > 1 ? "s" : ""} it has learned from ${last.taken} of ${pool} others as well, by labels of its own${last.checked ? `, ${last.right} of them right` : ""}`
        + (test.length ? `. Now it is right on ${percent(last.accuracy)}: ${gain ? `${Math.abs(gain)} point${Math.abs(gain) > 1 ? "s" : ""} ${gain < 0 ? "less" : "more"}` : "no change"}.` : ".") : ""));
  }

  function wake() {
    open_picture(model.get("strip"), fault, (image) => {
      const data = pixels_of(image), area = 4 * SIDE * SIDE;
      ready = truths.map((truth, i) => ({ seen: data.slice(i * area, (i + 1) * area), truth }));
      ends.push(watch(model, ["start"], fresh));
    });
    ends.push(in_slices(check(), () => {}));
  }

  build();
  look();
  const ends = [watch(model, ["threshold", "rounds"], () => { if (ready.length) again(); }),
    end, () => { rest(); cancelAnimationFrame(frame); }, when_near(el, wake)];
  return () => ends.forEach((one) => one());
}

export default { compute, render };
