// Your own picture, what the networks say of it, and where they still would. forward.js runs them, in the page.

const GRID = 9, STEP = 3; // shifts each way; pixels from one to the next
const PAUSE = 40; // milliseconds after a change before the work

// pixels: a square sheet, RGBA, in base64.
function compute({ networks, pixels, ...place }) {
  const data = bytesOf(pixels);
  const seen = view({ side: Math.sqrt(data.length / 4), data }, { ...STILL, ...place }, SIDE, 4);
  return { seen: [...seen], logits: Object.values(networks).map((exported) => [...network(exported)(planes(seen))]) };
}

// The shifts, from none at all outwards: [across, down] in steps.
const SHIFTS = [...Array(GRID * GRID).keys()].map((i) => [(i % GRID) - (GRID - 1) / 2, Math.floor(i / GRID) - (GRID - 1) / 2])
  .sort((a, b) => Math.hypot(...a) - Math.hypot(...b));

// One network's part: what it says, a bar for each class, and a square for each shift.
function column(arm, names) {
  const says = h("span", { class: "cvx-own-says" });
  const bars = names.map(() => bar("grey"));
  const cells = SHIFTS.map(([x, y]) => h("svg:rect", { x: x - 0.42, y: y - 0.42, width: 0.84, height: 0.84 }));
  const here = h("svg:rect", { width: 1, height: 1, fill: "none", stroke: "var(--cvx-orange)", "stroke-width": 0.25 });
  const edge = (GRID + 0.4) / 2;
  const map = h("svg:svg", { viewBox: `${-edge} ${-edge} ${2 * edge} ${2 * edge}`, role: "img", "aria-label": `Shifts at which the ${arm} keeps its answer`,
    stroke: "var(--cvx-quiet)", "stroke-width": 0.06 }, ...cells, here);
  return { head: h("div", {}, h("b", {}, arm), says), says, bars, cells, here, map, winners: SHIFTS.map(() => undefined) };
}

function render({ model, el }) {
  const [names, captions, labels, pictures, exported] = ["names", "captions", "labels", "pictures", "networks"].map((name) => model.get(name));
  const networks = Object.entries(exported).map(([arm, text]) => ({ run: network(text), text, ...column(arm, names), arm }));
  const paper = sheet();
  const moved = () => Object.fromEntries(Object.keys(STILL).map((name) => [name, model.get(name)]));
  let pixels, last, frame, rest = () => {}; // ends the work on shifts

  const stage = h("canvas", { role: "img", "aria-label": "The picture" });
  const sight = h("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": "What the networks see" });
  const pad = h("svg:svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, tabindex: 0, role: "application",
    "aria-label": "The picture: draw on it, or move it with the arrow keys", "data-tool": "draw" });
  const { element: pen_element, pen, ink } = pens();

  // Change the sheet; what it was before can be had again.
  const change = (act, settings = {}) => {
    paper.remember();
    fault.textContent = "";
    act();
    put(model, { picture: -1, ...settings });
    look();
  };
  const load = (image, settings) => change(() => paper.picture(image), { ...STILL, ...settings });
  const { fault, doors, end } = bring(el, () => (image) => load(image, { truth: -1 }));

  pad.addEventListener("pointerdown", () => {
    last = undefined;
    if (model.get("tool") === "draw") change(() => {});
  });
  const keep = (value, most) => Math.round(10 * Math.max(-most, Math.min(most, value))) / 10;
  const shift = (x, y) => put(model, { shift: [keep(model.get("shift")[0] + x, SIDE / 2), keep(model.get("shift")[1] + y, SIDE / 2)] });
  const hide = (at) => put(model, { hidden: model.get("hidden") || 0.3, hidden_at: at.map((share) => Math.round(1000 * Math.max(0, Math.min(1, share))) / 1000) });
  draggable(pad, pad, ({ x, y }) => {
    const [tool, back] = [model.get("tool"), placer(moved())];
    const at = back(x / SIDE, y / SIDE);
    if (tool === "hide") hide(at);
    else if (tool === "draw") {
      const { colour, width } = pen();
      paper.line(last ? back(...last) : at, at, colour, width / model.get("scale"));
      look();
    } else if (last) shift(x - last[0] * SIDE, y - last[1] * SIDE);
    last = [x / SIDE, y / SIDE];
  }, ({ x, y }) => (model.get("tool") === "hide" ? hide(model.get("hidden_at").map((share, i) => share + [x, y][i] / SIDE)) : shift(x, y)));

  const tools = buttons("Pointer", Object.fromEntries(["draw", "move", "hide"].map((tool) => [tool, () => put(model, { tool })])));
  const sheets = buttons("Sheet", { ...Object.fromEntries(Object.entries(SHEETS).map(([name, tint]) => [name, () => {
    change(() => paper.fill(tint), { ...STILL, tool: "draw", truth: -1 });
    ink(INKS[name]);
  }])), "undo": () => { paper.undo(); look(); } });
  const objects = choices(pictures.map((uri) => h("img", { src: uri, alt: "" })), captions, (i) => put(model, { picture: i }),
    doors("your own …", "A picture of yours"));
  const scale = slider("Size", { min: 0.4, max: 2, step: 0.05 }, (value) => put(model, { scale: value }));
  const turn = slider("Turn", { min: -180, max: 180, step: 5 }, (value) => put(model, { turn: value }));
  const hidden = slider("Hidden", { min: 0, max: 0.8, step: 0.05, label: "Side of the square that hides" }, (value) => put(model, { hidden: value }));
  const truth = h("select", { "aria-label": "What the picture is meant to be", change: () => put(model, { truth: Number(truth.value) }) },
    h("option", { value: -1 }, "I do not say"), ...names.map((name, i) => h("option", { value: i }, name)));

  const note = h("p", { class: "cvx-name cvx-own-note" }, "Your picture stays in this page: the networks themselves are in it. Your browser checks now that they answer as PyTorch does.");
  const answers = h("div", { class: "cvx-own-answers", style: `--arms: ${networks.length}` },
    h("div", {}), ...networks.map(({ head }) => head),
    ...names.flatMap((name, i) => [h("span", {}, name), ...networks.map(({ bars }) => bars[i].element)]),
    h("figure", {}, sight, h("figcaption", { class: "cvx-name" }, "they see")), ...networks.map(({ map }) => map));
  const say = card(el, "Your own picture", objects.element, fault,
    h("div", { class: "cvx-own" },
      h("div", {}, h("div", { class: "cvx-stack" }, stage, pad), h("div", { class: "cvx-controls" }, tools.element, sheets.element)), answers),
    h("div", { class: "cvx-controls cvx-own-controls" }, pen_element, scale.element,
      turn.element, hidden.element, h("label", { class: "cvx-own-truth" }, h("span", { class: "cvx-name" }, "It is meant to be"), truth),
      h("div", {}, h("button", { type: "button", click: () => put(model, STILL) }, "put it back"))), note);

  function* check() {
    let off = 0;
    for (const { text, run } of networks) off = Math.max(off, yield* deviation(text, run));
    note.textContent = off < 1e-3
      ? `Your picture stays in this page: the networks themselves are in it. Checked just now in your browser: they answer as PyTorch does, to ${off < 1e-5 ? "0.00001" : off.toPrecision(1)}.`
      : `In your browser the networks answer otherwise than in PyTorch, by up to ${off.toPrecision(2)}: do not rely on what you see.`;
  }

  // The answers are compared with the truth if it is told, else with the answer here.
  function tell() {
    const { shift: at } = moved();
    const told = model.get("truth");
    const parts = networks.map((one) => {
      const p = one.probabilities;
      const right = one.winners.map((winner) => winner === (told < 0 ? top(p) : told));
      one.cells.forEach((cell, i) => { if (cell.hasAttribute("data-on") !== right[i]) cell.toggleAttribute("data-on", right[i]); });
      one.here.setAttribute("x", Math.max(-4.5, Math.min(3.5, at[0] / STEP - 0.5)));
      one.here.setAttribute("y", Math.max(-4.5, Math.min(3.5, at[1] / STEP - 0.5)));
      const mark = told < 0 ? "" : top(p) === told ? "✓ " : "✗ ";
      one.says.textContent = `${mark}${names[top(p)]} ${Math.round(100 * Math.max(...p))}\u00a0%`;
      one.bars.forEach((made, i) => {
        made.show(p[i], "");
        made.element.firstChild.style.setProperty("--tone", `var(--cvx-${i !== top(p) ? "grey" : told >= 0 && told !== i ? "orange" : "blue"})`);
      });
      const done = one.winners.every((winner) => winner !== undefined);
      return `the ${one.arm} says “${names[top(p)]}” (${fixed(Math.max(...p), 2)})${done ? ` and ${told < 0 ? "keeps to it" : "is right"} at ${sum(right.map(Number))} of ${GRID * GRID} shifts` : ""}`;
    });
    say(`${parts.join("; ")}. Green squares: shifts of the picture at which ${told < 0 ? "the answer would be the same" : `it is called “${names[told]}”`}.`.replace(/^t/, "T"));
  }

  // The answers at all shifts.
  function* look_around(sheet, place) {
    for (const [i, steps] of SHIFTS.entries()) {
      const seen = planes(view(sheet, { ...place, shift: steps.map((step) => step * STEP) }, SIDE, 4));
      for (const one of networks) {
        one.winners[i] = top(one.run(seen));
        yield;
      }
    }
  }

  let before;
  function draw() {
    frame = undefined;
    pixels ??= paper.pixels();
    const place = moved();
    paint(stage, view(pixels, place, SHEET, 1));
    const seen = view(pixels, place, SIDE, 4);
    paint(sight, seen);
    for (const one of networks) one.probabilities = softmax(one.run(planes(seen)));
    tools.press(model.get("tool"));
    pad.setAttribute("data-tool", model.get("tool"));
    objects.press(model.get("picture"));
    scale.show(place.scale, `${Math.round(100 * place.scale)} %`);
    turn.show(place.turn, `${fixed(place.turn, 0)}°`);
    hidden.show(place.hidden, `${Math.round(100 * place.hidden)} %`);
    truth.value = model.get("truth");
    tell();
    const now = JSON.stringify({ ...place, shift: 0 });
    if (now !== before) {
      rest();
      rest = in_slices(look_around(pixels, place), tell, PAUSE);
    }
    before = now;
  }
  const soon = () => { frame ??= requestAnimationFrame(draw); }; // whatever changes, one view a frame
  // After a change of the sheet.
  function look() {
    before = pixels = undefined;
    soon();
  }

  function wake() {
    ends.push(watch(model, [...Object.keys(STILL), "tool", "truth"], soon), in_slices(check(), () => {}),
      watch(model, ["picture"], () => {
        const i = model.get("picture");
        if (i >= 0) open_picture(pictures[i], fault, (image) => load(image, { truth: labels[i], picture: i }));
      }));
  }

  paper.fill(SHEETS["white sheet"]);
  say("The networks have not been asked yet. Give them a picture, and they answer; green squares will show the shifts of it at which the answer stays the same.");
  const ends = [end, () => rest(), when_near(el, wake)];
  return () => ends.forEach((one) => one());
}

export default { compute, render };
