// From fully connected to convolution: which weights an output uses, and how many there are.

const IN = 8, OUT = 6, K = 3; // units down and across: 8 × 8 in, 6 × 6 out
const MODES = ["fully connected", "locally connected", "convolution"];
const KERNELS = {
  "leave it": [0, 0, 0, 0, 1, 0, 0, 0, 0],
  "blur": Array(9).fill(0.1111),
  "sharpen": [0, -1, 0, -1, 5, -1, 0, -1, 0],
  "left edges": [-1, 0, 1, -2, 0, 2, -1, 0, 1],
  "all edges": [-1, -1, -1, -1, 8, -1, -1, -1, -1],
};

// The photograph's grey pixels, (side, side), and the same reduced to 8 × 8 by averaging.
function reduce(pixels, side) {
  const block = side / IN;
  return [...Array(IN * IN).keys()].map((i) => {
    const [top, left] = [Math.floor(i / IN) * block, (i % IN) * block];
    let total = 0;
    for (let y = 0; y < block; y++) for (let x = 0; x < block; x++) total += pixels[(top + y) * side + left + x];
    return Math.floor(total / (block * block) + 0.5);
  });
}

// The weight of output o for input i where every pair has its own: made up, but always the same.
const ownWeight = (o, i) => ((o * 7919 + i * 104729) % 2017) / 1008 - 1;

// The (8 · 8) weights of an output; undefined where it has none.
function weightsOf(mode, kernel, o) {
  const [row, column] = [Math.floor(o / OUT), o % OUT];
  return [...Array(IN * IN).keys()].map((i) => {
    const [y, x] = [Math.floor(i / IN) - row, (i % IN) - column];
    if (mode === "fully connected") return ownWeight(o, i);
    if (y < 0 || x < 0 || y >= K || x >= K) return undefined;
    return mode === "convolution" ? kernel[y * K + x] : ownWeight(o, i);
  });
}

function filter(pixels, side, kernel) {
  const n = side - K + 1;
  const result = new Float64Array(n * n);
  for (let y = 0; y < n; y++) for (let x = 0; x < n; x++) {
    let total = 0;
    for (let k = 0; k < K * K; k++) total += kernel[k] * pixels[(y + Math.floor(k / K)) * side + x + (k % K)];
    result[y * n + x] = total;
  }
  return result;
}

function compute({ mode, kernel, unit, pixels }) {
  const grey = bytesOf(pixels);
  const side = Math.sqrt(grey.length);
  const input = reduce(grey, side);
  const outputs = [...Array(OUT * OUT).keys()].map((o) =>
    sum(weightsOf(mode, kernel, o).map((w, i) => (w === undefined ? 0 : w * input[i]))));
  const weights = weightsOf(mode, kernel, unit[0] * OUT + unit[1]);
  const parameters = { "fully connected": IN ** 2 * OUT ** 2, "locally connected": K ** 2 * OUT ** 2, "convolution": K ** 2 }[mode];
  return { input, outputs, weights: weights.map((w) => w ?? null), parameters, filtered: [...filter(grey, side, kernel)] };
}

// Orange above zero, blue below; the paper's colour at zero.
const tint = (value, most) => {
  const share = Math.round(100 * Math.min(1, Math.abs(value) / (most || 1)));
  return `color-mix(in srgb, var(--cvx-${value < 0 ? "blue" : "orange"}) ${share}%, var(--cvx-paper))`;
};

function grid(n, label, attributes = {}) {
  const cells = [...Array(n * n).keys()].map((i) => h("svg:rect", { x: i % n, y: Math.floor(i / n), width: 1, height: 1,
    stroke: "var(--cvx-line)", "stroke-width": 0.03 }));
  const frame = h("svg:rect", { fill: "none", stroke: "var(--cvx-ink)", "stroke-width": 0.1 });
  const element = h("svg:svg", { viewBox: `-0.1 -0.1 ${n + 0.2} ${n + 0.2}`, "aria-label": label, ...attributes }, ...cells, frame);
  return { element, cells, frame };
}

function render({ model, el }) {
  const get = () => Object.fromEntries(["mode", "kernel", "unit", "pixels"].map((name) => [name, model.get(name)]));
  const left = grid(IN, "The input, with the weights of the chosen output", { role: "img" });
  const right = grid(OUT, "The outputs: choose one with the arrow keys", { role: "application", tabindex: 0 });
  const dots = left.cells.map((_, i) => h("svg:rect", { x: (i % IN) + 0.22, y: Math.floor(i / IN) + 0.22, width: 0.56, height: 0.56, rx: 0.1 }));
  left.element.append(...dots);
  left.frame.setAttribute("visibility", "hidden");
  const within = (u) => Math.max(0, Math.min(OUT - 1, Math.floor(u)));
  draggable(right.element, right.element, ({ x, y }) => put(model, { unit: [within(y), within(x)] }),
    ({ x, y }) => put(model, { unit: [within(model.get("unit")[0] + y), within(model.get("unit")[1] + x)] }), { hover: true });
  const modes = buttons("Layer", Object.fromEntries(MODES.map((mode) => [mode, () => put(model, { mode })])));
  const kernels = buttons("Kernel", Object.fromEntries(Object.entries(KERNELS).map(([name, kernel]) =>
    [name, () => put(model, { kernel, mode: "convolution" })])));
  const taps = [...Array(K * K).keys()].map((k) => h("input", { type: "number", min: -10, max: 10, step: 0.1,
    "aria-label": `Kernel, row ${Math.floor(k / K) + 1}, column ${(k % K) + 1}`, "data-lm-suppress-shortcuts": "true",
    input: (event) => {
      const value = event.target.valueAsNumber;
      if (!(Math.abs(value) <= 10)) return;
      put(model, { kernel: model.get("kernel").map((w, i) => (i === k ? value : w)), mode: "convolution" });
    } }));
  const [before, after] = ["The photograph", "The photograph after the convolution"].map((label) =>
    h("canvas", { role: "img", "aria-label": label }));
  const caption = (text) => h("figcaption", { class: "cvx-name" }, text);
  const say = card(el, "From fully connected to convolution", h("div", { class: "cvx-controls" }, modes.element),
    h("div", { class: "cvx-pair" }, h("figure", {}, left.element, caption("8 × 8 inputs and the weights on them")),
      h("figure", {}, right.element, caption("6 × 6 outputs"))),
    h("div", { class: "cvx-trio" }, h("figure", {}, before, caption("photograph")),
      h("div", { class: "cvx-kernel", role: "group", "aria-label": "Kernel" }, ...taps), h("figure", {}, after, caption("convolved"))),
    h("div", { class: "cvx-controls" }, kernels.element));

  function paint(canvas, values, side, shift = 0) {
    Object.assign(canvas, { width: side, height: side });
    const image = new ImageData(side, side);
    values.forEach((value, i) => image.data.set([value + shift, value + shift, value + shift, 255], 4 * i));
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  return watch(model, ["mode", "kernel", "unit", "pixels"], () => {
    const state = get();
    const { mode, kernel, unit, pixels } = state;
    const { input, outputs, weights, parameters, filtered } = compute(state);
    input.forEach((grey, i) => left.cells[i].setAttribute("fill", `rgb(${grey}, ${grey}, ${grey})`));
    const heaviest = Math.max(...weights.map(Math.abs));
    dots.forEach((dot, i) => {
      dot.setAttribute("visibility", weights[i] === null ? "hidden" : "visible");
      dot.setAttribute("fill", tint(weights[i], heaviest));
    });
    const largest = Math.max(...outputs.map(Math.abs));
    outputs.forEach((value, o) => right.cells[o].setAttribute("fill", tint(value, largest)));
    ["y", "x"].forEach((axis, i) => right.frame.setAttribute(axis, unit[i]));
    ["width", "height"].forEach((length) => right.frame.setAttribute(length, 1));
    taps.forEach((tap, k) => { if (tap.valueAsNumber !== kernel[k]) tap.value = Number(kernel[k].toFixed(4)); });
    const grey = bytesOf(pixels);
    paint(before, grey, Math.sqrt(grey.length));
    paint(after, filtered, Math.sqrt(filtered.length), Math.abs(sum(kernel)) < 0.01 ? 128 : 0); // grey is zero
    modes.press(mode);
    const used = weights.filter((w) => w !== null).length;
    const shared = { "fully connected": "no other output shares them", "locally connected": "no other output shares them",
      "convolution": "all outputs share them" }[mode];
    say(`Output (${unit.join(", ")}) of the ${mode} layer is a sum over ${used} of 64 inputs: ${fixed(outputs[unit[0] * OUT + unit[1]], 1)}. `
      + `It uses ${used} weights; ${shared}. The layer has ${parameters.toLocaleString("en")} weights.`);
  });
}

export default { compute, render };
