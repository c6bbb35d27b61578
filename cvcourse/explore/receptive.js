// Receptive fields: which pixels a unit of a stack of layers depends on.

const conv = (kernel, stride = 1, padding = 0, dilation = 1) => ["conv", kernel, stride, padding, dilation];
const pool = (kernel, stride) => ["pool", kernel, stride, 0, 1];
const vgg = [2, 2, 3, 3, 3].flatMap((n) => [...Array(n).fill(conv(3, 1, 1)), pool(2, 2)]);
const PRESETS = {
  "LeNet-5": { size: 32, layers: [conv(5), pool(2, 2), conv(5), pool(2, 2), conv(5)] },
  "AlexNet": { size: 224, layers: [conv(11, 4, 2), pool(3, 2), conv(5, 1, 2), pool(3, 2),
    conv(3, 1, 1), conv(3, 1, 1), conv(3, 1, 1), pool(3, 2)] },
  "VGG-16": { size: 224, layers: vgg },
};

// Along one axis, after every layer: the map's n units; which pixels each sees, first and last
// (low > high: none); and size, jump and start, as they are on an image without borders.
function walk(size, layers) {
  const pixels = [...Array(size).keys()];
  const steps = [{ n: size, low: pixels, high: pixels, size: 1, jump: 1, start: 0 }];
  for (const [, kernel, stride, padding, dilation] of layers) {
    const { n, low, high, ...before } = steps.at(-1);
    const units = Math.floor((n + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
    const fields = [...Array(Math.max(units, 0)).keys()].map((unit) => {
      const taps = [...Array(kernel).keys()].map((k) => unit * stride - padding + k * dilation)
        .filter((tap) => tap >= 0 && tap < n); // what lies outside is padding
      return [Math.min(...taps.map((tap) => low[tap])), Math.max(...taps.map((tap) => high[tap]))];
    });
    steps.push({
      n: units,
      low: fields.map(([first]) => first),
      high: fields.map(([, last]) => last),
      size: before.size + (kernel - 1) * dilation * before.jump,
      jump: before.jump * stride,
      start: before.start + (((kernel - 1) * dilation) / 2 - padding) * before.jump,
    });
    if (units < 1) break;
  }
  return steps;
}

function compute({ size, layers, layer, unit }) {
  const steps = walk(size, layers);
  const { n, low, high, ...field } = steps[Math.min(layer, steps.length - 1)];
  const ends = unit.map((u) => [low[u], high[u] + 1]);
  const empty = ends.some(([first, last]) => !(first < last));
  const [[top, bottom], [left, right]] = ends;
  const corner = unit.map((u) => field.start + u * field.jump - (field.size - 1) / 2);
  return { maps: steps.map((s) => s.n), sizes: steps.map((s) => s.size), jumps: steps.map((s) => s.jump), n, ...field,
    region: empty ? [0, 0, 0, 0] : [top, left, bottom, right], corner };
}

function render({ model, el }) {
  const field = h("svg:rect", { fill: "var(--cvx-orange)", "fill-opacity": 0.3, stroke: "var(--cvx-orange)" });
  const wide = h("svg:rect", { fill: "none", stroke: "var(--cvx-orange)", "stroke-dasharray": "4 3" });
  const photograph = h("svg:image", { preserveAspectRatio: "none" });
  const image = h("svg:svg", { role: "img", "aria-label": "The image and the field of the unit" }, photograph, field, wide);
  const lines = h("svg:path", { stroke: "var(--cvx-line)", fill: "none", "vector-effect": "non-scaling-stroke" });
  const cell = h("svg:rect", { fill: "var(--cvx-blue)" });
  const paper = h("svg:rect", { width: 100, height: 100, fill: "var(--cvx-raised)", stroke: "var(--cvx-quiet)" });
  const map = h("svg:svg", { viewBox: "-1 -1 102 102", tabindex: 0, role: "application",
    "aria-label": "The layer’s map: choose a unit with the arrow keys" }, paper, lines, cell);
  const mapName = h("figcaption", { class: "cvx-name" });
  const imageName = h("figcaption", { class: "cvx-name" });
  const table = h("div", { class: "cvx-scroll" });
  const presets = buttons("Build", Object.fromEntries(Object.entries(PRESETS).map(([name, preset]) =>
    [name, () => choose({ ...preset, layer: preset.layers.length })])));
  const edits = buttons("Layers", {
    "add a convolution": () => choose({ layers: [...model.get("layers"), conv(3)], layer: model.get("layers").length + 1 }),
    "add a pool": () => choose({ layers: [...model.get("layers"), pool(2, 2)], layer: model.get("layers").length + 1 }),
    "remove the last": () => choose({ layers: model.get("layers").slice(0, -1) }),
  });
  const say = card(el, "Receptive fields",
    h("div", { class: "cvx-controls" }, presets.element),
    h("div", { class: "cvx-pair" }, h("figure", {}, image, imageName), h("figure", {}, map, mapName)), table,
    h("div", { class: "cvx-controls" }, edits.element));

  const get = () => Object.fromEntries(["size", "layers", "layer", "unit"].map((name) => [name, model.get(name)]));
  // Change something; then see to it that the layer and the unit exist, the middle one if new.
  function choose(changes) {
    const state = { ...get(), ...changes };
    if (!state.layers.length) return;
    const steps = walk(state.size, state.layers);
    state.layer = Math.min(state.layer, state.layers.length);
    const n = Math.max(steps[state.layer]?.n ?? 1, 1);
    if (!changes.unit) state.unit = [Math.floor((n - 1) / 2), Math.floor((n - 1) / 2)];
    state.unit = state.unit.map((u) => Math.max(0, Math.min(n - 1, u)));
    if (steps.some((s) => s.n < 1)) return refuse(steps);
    put(model, state);
  }
  function refuse(steps) {
    draw();
    say(`That does not fit: layer ${steps.length - 1} would be left without a unit. Take a smaller kernel or stride, or more padding.`);
  }
  function edit(index, place, value) {
    const layers = model.get("layers").map((l) => [...l]);
    layers[index][place] = value;
    const [kind, kernel] = layers[index];
    if (kind === "pool") layers[index][3] = Math.min(layers[index][3], Math.floor(kernel / 2));
    choose({ layers, layer: index + 1 });
  }
  draggable(map, map,
    ({ x, y }) => { const { n } = compute(get()); choose({ unit: [y, x].map((at) => Math.floor((at / 100) * n)) }); },
    ({ x, y }) => { const [row, column] = model.get("unit"); choose({ unit: [row + y, column + x] }); }, { hover: true });

  const LIMITS = { kernel: [1, 1, 15], stride: [2, 1, 8], padding: [3, 0, 8], dilation: [4, 1, 8] };
  function rowOf(layers, index) {
    const radio = h("input", { type: "radio", name: `layer-${group}`, "aria-label": `Show layer ${index + 1}`,
      change: () => choose({ layer: index + 1 }) });
    const kind = h("select", { "aria-label": `Kind of layer ${index + 1}`, change: () => edit(index, 0, kind.value) },
      h("option", { value: "conv" }, "conv"), h("option", { value: "pool" }, "pool"));
    const inputs = Object.entries(LIMITS).map(([name, [place, min, max]]) => {
      const input = h("input", { type: "number", min, max, "aria-label": `${name} of layer ${index + 1}`,
        "data-lm-suppress-shortcuts": "true",
        change: () => edit(index, place, Math.max(min, Math.min(max, Math.round(Number(input.value) || min)))) });
      return input;
    });
    const cells = ["map", "size", "jump"].map((name) => h("span", { "data-cell": name }));
    const element = h("div", { class: "cvx-layer" }, radio, kind, ...inputs, ...cells);
    return { element, radio, kind, inputs, cells };
  }
  function reveal() { // the chosen row, by scrolling the table and not the page
    const { offsetTop, offsetHeight } = rows[model.get("layer") - 1].element;
    const [above, below] = [offsetTop - table.offsetTop, offsetTop - table.offsetTop + offsetHeight];
    if (above < table.scrollTop + offsetHeight || below > table.scrollTop + table.clientHeight) table.scrollTop = below - table.clientHeight;
  }
  const group = Math.random().toString(36).slice(2); // radio buttons of one figure go together
  let rows = [];
  const heads = ["", "kind", "kernel", "stride", "pad", "dilate", "map", "sees", "jump"];

  function draw() {
    const state = get();
    const { size, layers, layer, unit } = state;
    const { maps, sizes, jumps, region, corner, n, ...chosen } = compute(state);
    if (rows.length !== layers.length) {
      rows = layers.map((_, index) => rowOf(layers, index));
      table.replaceChildren(h("div", { class: "cvx-layer cvx-name", "aria-hidden": "true" }, ...heads.map((name, i) =>
        h("span", i > 5 ? { "data-cell": ["map", "size", "jump"][i - 6] } : {}, name))), ...rows.map((r) => r.element));
    }
    rows.forEach(({ element, radio, kind, inputs, cells }, i) => {
      element.toggleAttribute("data-on", i + 1 === layer);
      radio.checked = i + 1 === layer;
      kind.value = layers[i][0];
      inputs.forEach((input, place) => { input.value = layers[i][place + 1]; });
      cells[0].textContent = `${maps[i + 1]}²`;
      cells[1].textContent = `${sizes[i + 1]}²`;
      cells[2].textContent = jumps[i + 1];
    });
    requestAnimationFrame(reveal);
    const margin = 0.15 * size;
    image.setAttribute("viewBox", `${-margin} ${-margin} ${size + 2 * margin} ${size + 2 * margin}`);
    const line = { "stroke-width": size / 110 };
    const set = (element, attributes) => Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    set(photograph, { href: model.get("picture"), width: size, height: size });
    const [top, left, bottom, right] = region;
    set(field, { x: left, y: top, width: right - left, height: bottom - top, ...line });
    set(wide, { y: corner[0], x: corner[1], width: chosen.size, height: chosen.size, ...line });
    wide.setAttribute("stroke-dasharray", `${size / 50} ${size / 70}`);
    set(cell, { y: (100 * unit[0]) / n, x: (100 * unit[1]) / n, width: Math.max(100 / n, 1.5), height: Math.max(100 / n, 1.5) });
    const marks = n > 40 ? [] : [...Array(n + 1).keys()].map((i) => (100 * i) / n);
    lines.setAttribute("d", marks.map((at) => `M0 ${at}H100M${at} 0V100`).join(""));
    const name = `layer ${layer} of ${layers.length}`;
    mapName.textContent = `map of ${name}, ${n}\u00a0×\u00a0${n} units`;
    imageName.textContent = `image, ${size}\u00a0×\u00a0${size} pixels`;
    const [kind, kernel, stride, , dilation] = layers[layer - 1];
    const seen = right > left ? `rows ${top} to ${bottom - 1}, columns ${left} to ${right - 1}` : "no pixel";
    say(`Unit (${unit.join(", ")}) of ${name}, a ${kernel} × ${kernel} ${kind}, depends on ${seen}. `
      + `Size: ${sizes[layer - 1]} + (${kernel} − 1) · ${dilation} · ${jumps[layer - 1]} = ${chosen.size}. `
      + `Jump: ${jumps[layer - 1]} · ${stride} = ${chosen.jump}. Unit 0 is centred at ${fixed(chosen.start, 1)}.`);
  }
  return watch(model, ["size", "layers", "layer", "unit", "picture"], draw);
}

export default { compute, render };
