// Two moons: a tiny network that learns in the page, from a few labels alone and from all points.

const STEPS = 300, RATE = 0.05, EASY = 0.05, HARD = 0.2, DRAWS = 8; // as in Python
const FIXED = ["places", "scatter", "moves", "frequencies", "phases", "start", "orders"];
const CHOSEN = ["per_class", "draw", "labels", "width", "way", "threshold"];
const LEFT = -1.75, TOP = 1.75, SIDE = 0.09375, COLUMNS = 48, ROWS = 32; // what is drawn of the plane
const BLUE = [0, 114, 178], ORANGE = [213, 94, 0]; // on light and on dark paper

// The network's first layer: cosines in fixed directions, and a one for the bias.
function waves({ frequencies, phases }, [x, y]) {
  const scale = Math.sqrt(2 / phases.length), out = new Float64Array(phases.length + 1).fill(1);
  for (let j = 0; j < phases.length; j += 1) out[j] = scale * Math.cos(x * frequencies[j][0] + y * frequencies[j][1] + phases[j]);
  return out;
}

function logit(weights, wave) {
  let total = 0;
  for (let j = 0; j < wave.length; j += 1) total += weights[j] * wave[j];
  return total;
}

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const moved = ([x, y], [dx, dy], much) => [x + much * dx, y + much * dy];

// One network in training. step() is one step of AdamW on all points; answers() what it says now.
function learner(state, others) {
  const { places, scatter, moves, orders, width, way, threshold } = state;
  const points = places.map((place, i) => moved(place, scatter[i], width));
  const clean = points.map((point) => waves(state, point));
  const known = orders[state.draw + DRAWS * Number(state.labels === "outside")].slice(0, 2 * state.per_class);
  const weights = Float64Array.from(state.start), size = weights.length;
  const mean = new Float64Array(size), square = new Float64Array(size), gradient = new Float64Array(size);
  const one = { points, known, clean, weights, steps: 0 };

  // Cross-entropy of one wave with this answer, as a share of the loss; its gradient is added up.
  function learn(wave, answer, share) {
    const z = logit(weights, wave), slope = (sigmoid(z) - answer) * share;
    for (let j = 0; j < size; j += 1) gradient[j] += slope * wave[j];
    return (softplus(z) - answer * z) * share;
  }
  const said = (wave) => {
    const p = sigmoid(logit(weights, wave));
    const confidence = Math.max(p, 1 - p);
    return { answer: Number(p > 0.5), confidence, sure: confidence >= threshold };
  };

  one.step = () => {
    const t = (one.steps += 1);
    gradient.fill(0);
    let loss = sum(known.map((i) => learn(clean[i], i % 2, 1 / known.length)));
    if (others) points.forEach((point, i) => { // its own answer, if it is sure, becomes a label
      const views = way === "two views";
      const { answer, sure } = said(views ? waves(state, moved(point, moves[(7 * i + 101 * t + 250) % moves.length], EASY)) : clean[i]);
      if (sure) loss += learn(views ? waves(state, moved(point, moves[(i + 31 * t) % moves.length], HARD)) : clean[i], answer, 1 / points.length);
    });
    for (let j = 0; j < size; j += 1) {
      mean[j] = 0.9 * mean[j] + 0.1 * gradient[j];
      square[j] = 0.999 * square[j] + 0.001 * gradient[j] ** 2;
      const move = mean[j] / (1 - 0.9 ** t) / (Math.sqrt(square[j] / (1 - 0.999 ** t)) + 1e-8);
      weights[j] = weights[j] * (1 - 0.01 * RATE) - RATE * move;
    }
    return loss;
  };
  one.answers = () => {
    const all = clean.map((wave, i) => { const s = said(wave); return { ...s, wrong: s.answer !== i % 2 }; });
    const labelled = all.filter(({ sure }) => sure), errors = labelled.filter(({ wrong }) => wrong);
    return { all, accuracy: 1 - all.filter(({ wrong }) => wrong).length / all.length, labelled: labelled.length,
      wrong: errors.length, conviction: sum(errors.map(({ confidence }) => confidence)) / (errors.length || 1) };
  };
  return one;
}

// Both arms, trained to the end at once: for tests, since a page trains in slices.
function compute(state) {
  return [false, true].map((others) => {
    const one = learner(state, others);
    const losses = [...Array(STEPS)].map(one.step);
    const { all, ...found } = one.answers();
    return { weights: [...one.weights], losses, ...found };
  });
}

// Where a function on a grid of values is 0: the path of its marching squares.
function border(values) {
  const path = [];
  const at = (row, column) => values[row * COLUMNS + column];
  for (let row = 0; row + 1 < ROWS; row += 1) for (let column = 0; column + 1 < COLUMNS; column += 1) {
    const lower = at(row, column) > 0;
    if (at(row, column + 1) > 0 === lower && at(row + 1, column) > 0 === lower && at(row + 1, column + 1) > 0 === lower) continue;
    const corners = [[row, column], [row, column + 1], [row + 1, column + 1], [row + 1, column]];
    const crossed = corners.flatMap(([r, c], k) => {
      const [R, C] = corners[(k + 1) % 4], from = at(r, c), to = at(R, C);
      if (from > 0 === to > 0) return [];
      const share = from / (from - to);
      return [`${(c + 0.5 + share * (C - c)).toFixed(2)} ${(r + 0.5 + share * (R - r)).toFixed(2)}`];
    });
    for (let k = 0; k < crossed.length; k += 2) path.push(`M${crossed[k]}L${crossed[k + 1]}`);
  }
  return path.join("");
}

// One arm's picture: shades for how sure it is, the boundary, points in the colour of the answer.
function panel(name, grid, others) {
  const canvas = h("canvas", { width: COLUMNS, height: ROWS, "aria-hidden": "true" });
  const pen = canvas.getContext("2d"), pixels = pen.createImageData(COLUMNS, ROWS);
  const paths = Object.fromEntries(["blue", "orange"].flatMap((tone) => [0.3, 1].map((opacity) =>
    [`${tone} ${opacity}`, h("svg:path", { fill: `var(--cvx-${tone})`, "fill-opacity": opacity })])));
  const line = h("svg:path", { fill: "none", stroke: "var(--cvx-ink)", "stroke-width": 0.4 });
  const large = h("svg:path", { fill: "none", stroke: "var(--cvx-ink)", "stroke-width": 0.3 });
  const crosses = h("svg:path", { fill: "none", stroke: "var(--cvx-ink)", "stroke-width": 0.25 });
  const figure = h("svg:svg", { viewBox: `0 0 ${COLUMNS} ${ROWS}`, role: "img", "aria-label": `The plane: ${name}` },
    ...Object.values(paths), line, large, crosses);
  const share = bar(others ? "green" : "grey");
  const head = h("span", { class: "cvx-name" }, name);
  const element = h("div", {}, head, h("div", { class: "cvx-stack cvx-plot" }, canvas, figure), share.element);
  const mark = (i, x, y, r) => (i % 2 ? `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`
    : `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`);

  const show = (one, label) => {
    const values = grid.map((wave) => logit(one.weights, wave));
    values.forEach((z, i) => {
      const p = sigmoid(z);
      pixels.data.set(p > 0.5 ? ORANGE : BLUE, 4 * i);
      pixels.data[4 * i + 3] = 150 * Math.abs(2 * p - 1);
    });
    pen.putImageData(pixels, 0, 0);
    line.setAttribute("d", border(values));
    const drawn = Object.fromEntries(Object.keys(paths).map((key) => [key, ""])), found = one.answers();
    let [wrongs, labels] = ["", ""];
    found.all.forEach(({ answer, sure, wrong }, i) => {
      const [x, y] = [(one.points[i][0] - LEFT) / SIDE, (TOP - one.points[i][1]) / SIDE].map((u) => Number(u.toFixed(2)));
      if (one.known.includes(i)) {
        drawn[`${["blue", "orange"][i % 2]} 1`] += mark(i, x, y, 1);
        labels += mark(i, x, y, 1);
        return;
      }
      drawn[`${["blue", "orange"][answer]} ${others && sure ? 1 : 0.3}`] += mark(i, x, y, 0.4);
      if (wrong) wrongs += `M${x - 0.7} ${y - 0.7}l1.4 1.4m0 -1.4l-1.4 1.4`;
    });
    Object.entries(drawn).forEach(([key, d]) => paths[key].setAttribute("d", d));
    large.setAttribute("d", labels);
    crosses.setAttribute("d", wrongs);
    head.textContent = label;
    share.show(found.accuracy, fixed(found.accuracy, 3));
    return found;
  };
  return { element, show };
}

const PRESETS = {
  "It helps": { per_class: 5, draw: 0, labels: "anywhere", width: 0.08, way: "two views", threshold: 0.95 },
  "It talks itself into an error": { per_class: 5, draw: 3, labels: "outside", width: 0.08, way: "pseudo-labels", threshold: 0.5 },
  "The moons overlap": { per_class: 5, draw: 0, labels: "anywhere", width: 0.3, way: "two views", threshold: 0.95 },
};

function render({ model, el }) {
  const get = () => Object.fromEntries([...FIXED, ...CHOSEN].map((name) => [name, model.get(name)]));
  const set = (name) => (value) => put(model, { [name]: value });
  const grid = [...Array(ROWS * COLUMNS).keys()].map((i) =>
    waves(get(), [LEFT + SIDE * ((i % COLUMNS) + 0.5), TOP - SIDE * (Math.floor(i / COLUMNS) + 0.5)]));
  const panels = [panel("labels alone", grid, false), panel("and the others", grid, true)];
  const sliders = {
    per_class: slider("Labels per moon", { min: 1, max: 10, step: 1 }, set("per_class")),
    draw: slider("Draw of labels", { min: 1, max: DRAWS, step: 1 }, (value) => put(model, { draw: value - 1 })),
    width: slider("Width of moons", { min: 0, max: 0.4, step: 0.01 }, set("width")),
    threshold: slider("Threshold", { min: 0.5, max: 0.99, step: 0.01 }, set("threshold")),
  };
  const way = buttons("The others", { "pseudo-labels": () => set("way")("pseudo-labels"), "two views": () => set("way")("two views") });
  const labels = buttons("Labels lie", { anywhere: () => set("labels")("anywhere"), outside: () => set("labels")("outside") });
  const train = buttons("Training", { train: () => start(), "from the start": () => again() });
  const presets = buttons("Try", Object.fromEntries(Object.entries(PRESETS).map(([name, changes]) =>
    [name, () => { put(model, changes); queueMicrotask(start); }])));
  const say = card(el, "Two moons, trained live",
    legend({ blue: "answer: upper moon (●)", orange: "answer: lower moon (■)" }),
    h("div", { class: "cvx-pair cvx-stacking" }, ...panels.map((p) => p.element)),
    h("div", { class: "cvx-name" }, "large: with a label · full colour: with a pseudo-label now · ×: the answer is wrong · bars: right answers at all points"),
    h("div", { class: "cvx-controls" }, presets.element, train.element, way.element, labels.element, ...Object.values(sliders).map((s) => s.element)));
  let pair, frame, due; // due: a picture

  const percent = (share) => `${fixed(100 * share, 1)} %`;
  function draw() {
    const [steps, name] = [pair[0].steps, model.get("way")];
    const [alone, both] = pair.map((one, i) => panels[i].show(one, i ? `with ${name}` : "labels alone"));
    if (steps === 0) return say(`Not trained yet: ${pair[0].known.length} of ${both.all.length} points have a label.`);
    const gain = 100 * (both.accuracy - alone.accuracy);
    return say(`After ${steps} of ${STEPS} steps, labels alone are right at ${percent(alone.accuracy)} of the points, with ${name} it is `
      + `${percent(both.accuracy)}: ${fixed(Math.abs(gain), 1)} points ${gain < 0 ? "less" : "more"}. Of ${both.labelled} pseudo-labels, ${both.wrong} are wrong`
      + (both.wrong ? `; in these its confidence is ${percent(both.conviction)} on average.` : "."));
  }
  // Steps for a few milliseconds in one frame, a picture in the next; where motion is unwanted, only
  // the end is shown.
  function slice() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const until = performance.now() + (calm ? 20 : 8);
    for (let n = 0; !due && (calm || n < 4) && pair[0].steps < STEPS && performance.now() < until; n += 1) pair.forEach((one) => one.step());
    const done = pair[0].steps >= STEPS;
    if (done || due) draw();
    due = !due && !calm;
    frame = done ? undefined : requestAnimationFrame(slice);
    if (done) train.press("");
  }
  function again() {
    cancelAnimationFrame(frame);
    due = false;
    const state = get();
    pair = [false, true].map((others) => learner(state, others));
    train.press("");
    Object.entries(sliders).forEach(([name, s]) => s.show(state[name]));
    sliders.draw.show(state.draw + 1);
    sliders.threshold.show(state.threshold, state.threshold > 0.5 ? fixed(state.threshold, 2) : "none");
    way.press(state.way);
    labels.press(state.labels);
    draw();
  }
  function start() {
    again();
    train.press("train");
    frame = requestAnimationFrame(slice);
  }

  const end = watch(model, CHOSEN, again);
  return () => { cancelAnimationFrame(frame); end(); };
}

export default { compute, render };
