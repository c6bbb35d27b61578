// What a unit sees, how strongly it answers, and what it looks at. forward.js runs the networks, in the page.

const GREY = 128, SLICE = 10, PAUSE = 40; // of the square; milliseconds: of work at a time, and after a change before it
const GAP = 1; // units between two maps
const BLUE = [38, 139, 210], ORANGE = [222, 108, 20]; // seen on light and on dark paper

// A network as far as one of its layers: bytes → that layer's numbers, map by map.
const part = ({ shape, layers }, layer) => network({ shape, layers: layers.slice(0, layer) });

// What is computed of a unit: which number of the layer it is, the pixels that it can see, first and one past the last.
function place({ layers, layer, unit: [map, row, column] }) {
  const { maps, fields } = layers[layer - 1];
  const [[top, bottom], [left, right]] = [fields[row], fields[column]];
  return { maps, n: fields.length, index: (map * fields.length + row) * fields.length + column, region: [top, left, bottom, right] };
}

// The part `to` of some maps, of which the part `from` is given; zeros outside of the n × n units that there are.
// A part: its rows and its columns, each the first and one past the last.
function cut(data, from, to, n) {
  const [high, broad, tall, wide] = [...from, ...to].map(([first, past]) => past - first);
  const channels = data.length / (high * broad);
  const result = new Float32Array(channels * tall * wide);
  const [[top, bottom], [left, right]] = to.map(([first, past]) => [Math.max(0, first), Math.min(n, past)]);
  for (let c = 0; c < channels; c++) for (let y = top; y < bottom; y++) {
    const start = (c * high + y - from[0][0]) * broad + left - from[1][0];
    result.set(data.subarray(start, start + right - left), (c * tall + y - to[0][0]) * wide + left - to[1][0]);
  }
  return result;
}

// One unit by itself, bytes → its value. Of every layer's maps only the part is computed that it needs.
function alone({ networks, network: name, layers, layer, unit: [map, ...at] }) {
  const { shape, layers: parts } = networks[name];
  const steps = [];
  let needed = at.map((one) => [one, one + 1]);
  for (let k = layer - 1; k >= 0; k--) {
    const { kind, size = 1, stride = 1, padding = 0 } = parts[k];
    const [maps, n] = k ? [layers[k - 1].maps, layers[k - 1].fields.length] : shape;
    needed = needed.map(([first, past]) => (["mean", "linear"].includes(kind) ? [0, n]
      : [first * stride - padding, (past - 1) * stride - padding + size]));
    const run = network({ shape: [maps, ...needed.map(([first, past]) => past - first)], layers: [{ ...parts[k], padding: 0 }] });
    steps.unshift({ needed, n, run });
  }
  const all = [[0, shape[1]], [0, shape[2]]];
  return (bytes) => steps.reduce((data, { needed: to, n, run }, k) => run(cut(data, k ? to : all, to, n)), bytes)[map];
}

// A picture of n × n pixels, bytes channel by channel, with a grey square around a pixel.
function hiding(bytes, n, side, row, column) {
  const result = bytes.slice();
  const [top, left] = [row, column].map((at) => at - (side >> 1));
  const [first, last] = [Math.max(0, left), Math.min(n, left + side)];
  for (let from = 0; from < bytes.length; from += n * n) for (let y = Math.max(0, top); y < Math.min(n, top + side); y++)
    result.fill(GREY, from + y * n + first, from + y * n + last);
  return result;
}

// By how much the unit's value changes if a pixel and those around it are hidden: [row, column, step, change], for every
// 4th pixel, then every 2nd, then all. Where the square is outside of the field nothing can change, and nothing is run.
function* occlusion(state, bytes, value) {
  const { shape: [, n] } = state.networks[state.network];
  const { region: [top, left, bottom, right] } = place(state);
  const [{ side }, run] = [state, alone(state)];
  const meets = (at, first, past) => at - (side >> 1) < past && at - (side >> 1) + side > first;
  for (const step of [4, 2, 1]) for (let row = 0; row < n; row += step) for (let column = 0; column < n; column += step) {
    if (step < 4 && row % (2 * step) === 0 && column % (2 * step) === 0) continue; // it was, with a larger step
    const sees = meets(row, top, bottom) && meets(column, left, right);
    yield [row, column, step, sees ? run(hiding(bytes, n, side, row, column)) - value : 0];
  }
}

// One of them, put among the others.
function spread(changes, n, [row, column, step, change]) {
  for (let y = row; y < Math.min(n, row + step); y++) changes.fill(change, y * n + column, y * n + Math.min(n, column + step));
}

function compute(state) {
  const exported = state.networks[state.network];
  const [run, bytes, n] = [part(exported, state.layer), bytesOf(state.pixels), exported.shape[1]];
  const values = run(bytes);
  const { index, region } = place(state);
  const changes = new Float32Array(n * n);
  for (const found of occlusion(state, bytes, values[index])) spread(changes, n, found);
  return { values: [...values], value: values[index], region, changes: [...changes] };
}

// Numbers as pixels: one colour above 0 and one below, the fainter the nearer to 0.
function shade(canvas, width, numbers, [plus, minus]) {
  const [height, most] = [numbers.length / width, numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0) || 1];
  const image = new ImageData(width, height);
  numbers.forEach((number, i) => image.data.set([...(number > 0 ? plus : minus), (255 * Math.abs(number)) / most], 4 * i));
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// A frame that is seen on any ground.
function outline() {
  const frames = ["var(--cvx-paper)", "var(--cvx-orange)"].map((stroke, i) =>
    h("svg:rect", { fill: "none", stroke, "stroke-width": 4 - 2 * i, "vector-effect": "non-scaling-stroke" }));
  const show = (x, y, width, height) => frames.forEach((frame) =>
    Object.entries({ x, y, width, height }).forEach(([name, value]) => frame.setAttribute(name, value)));
  return { frames, show };
}

const TRAITS = ["networks", "layers", "network", "layer", "unit", "pixels", "side"];

function render({ model, el }) {
  const get = () => Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const [names, networks, layers] = ["names", "networks", "layers"].map((name) => model.get(name));
  const arms = Object.keys(networks);
  const { shape: [, n] } = networks[arms[0]];
  let made = {}, survey = 0, grid = 1;

  // The network as far as the chosen layer, made once.
  function runner({ network: name, layer }) {
    if (made.name !== name || made.layer !== layer) made = { name, layer, run: part(networks[name], layer) };
    return made.run;
  }

  // In another layer, the unit that stands where the old one stood.
  function go(layer) {
    const [{ n: before }, { maps, fields }] = [place(get()), layers[layer - 1]];
    const [map, ...old] = model.get("unit");
    put(model, { layer, unit: [Math.min(map, maps - 1), ...old.map((at) => Math.floor(((at + 0.5) * fields.length) / before))] });
  }

  const clamp = (at, most) => Math.max(0, Math.min(most - 1, Math.floor(at)));

  // By where it stands on the card: all maps, side by side.
  function unitAt(x, y) {
    const { maps, n: units } = place(get());
    const [across, down] = [x, y].map((at) => Math.floor(at / (units + GAP)));
    const map = down * grid + across;
    if (across < 0 || across >= grid || map < 0 || map >= maps) return;
    put(model, { unit: [map, clamp(y - down * (units + GAP), units), clamp(x - across * (units + GAP), units)] });
  }
  function step({ x, y }) {
    const { n: units } = place(get());
    const [map, row, column] = model.get("unit");
    const jump = (at, by) => (at + by < 0 || at + by >= units ? by + Math.sign(by) * GAP : by); // into the next map
    unitAt((map % grid) * (units + GAP) + column + jump(column, x), Math.floor(map / grid) * (units + GAP) + row + jump(row, y));
  }
  function strongest() {
    const state = get();
    const { n: units } = place(state);
    const values = [...runner(state)(bytesOf(state.pixels))];
    const from = state.unit[0] * units * units;
    const at = top(values.slice(from, from + units * units));
    put(model, { unit: [state.unit[0], Math.floor(at / units), at % units] });
  }

  const [photo, field, here, heat, seen] = [h("canvas", { role: "img", "aria-label": "The picture" }), outline(), outline(),
    h("canvas", { role: "img", "aria-label": "Change of the unit’s value, by the place that is hidden" }), outline()];
  const borders = h("svg:path", { fill: "none", stroke: "var(--cvx-line)", "vector-effect": "non-scaling-stroke" });
  const numbers = h("canvas", { role: "img", "aria-label": "The layer’s maps" });
  const frame = (label, { frames }) => h("svg:svg", { viewBox: `0 0 ${n} ${n}`, ...label }, ...frames);
  const aim = frame({ tabindex: 0, role: "application", "aria-label": "The picture: the arrow keys move the unit within its map" }, field);
  const pad = h("svg:svg", { tabindex: 0, role: "application", "aria-label": "The layer’s units: choose one with the arrow keys" }, borders, ...here.frames);
  draggable(aim, aim, ({ x, y }) => {
    const { n: units } = place(get());
    put(model, { unit: [model.get("unit")[0], ...[y, x].map((at) => clamp((at * units) / n, units))] });
  }, ({ x, y }) => {
    const { n: units } = place(get());
    const [map, row, column] = model.get("unit");
    put(model, { unit: [map, clamp(row + y, units), clamp(column + x, units)] });
  });
  draggable(pad, pad, ({ x, y }) => unitAt(x, y), step);

  const choice = chooser(el, model);
  const arm = buttons("Trained on", Object.fromEntries(arms.map((name) => [name, () => put(model, { network: name })])));
  const layer = slider("Layer", { min: 1, max: layers.length, step: 1 }, go);
  const side = slider("Square", { min: 1, max: 16, step: 1, label: "Side of the grey square" }, (value) => put(model, { side: value }));
  const [sees, chosen, looks] = Array.from({ length: 3 }, () => h("figcaption", { class: "cvx-name" }));
  looks.textContent = "what it looks at";
  const say = card(el, "What a unit sees",
    choice.element,
    h("div", { class: "cvx-unit" },
      h("figure", {}, h("div", { class: "cvx-stack" }, photo, aim), sees),
      h("figure", {}, h("div", { class: "cvx-stack" }, numbers, pad), chosen),
      h("figure", {}, h("div", { class: "cvx-stack" }, heat, frame({ "aria-hidden": "true" }, seen)), looks)),
    legend({ blue: "value above 0; right: hide this, and it falls", orange: "value below 0; right: hide this, and it rises" }),
    h("div", { class: "cvx-controls" }, arms.length > 1 ? arm.element : "", layer.element, side.element,
      h("div", {}, h("button", { type: "button", click: strongest }, "strongest unit of this map"))));

  // All places, a few at a time, so that the page never waits for long.
  function look(state, bytes, value, tell) {
    const mine = ++survey;
    const changes = new Float32Array(n * n);
    const places = occlusion(state, bytes, value);
    const some = () => {
      if (mine !== survey) return;
      const until = performance.now() + SLICE;
      let next;
      do {
        next = places.next();
        if (!next.done) spread(changes, n, next.value);
      } while (!next.done && performance.now() < until);
      shade(heat, n, changes, [ORANGE, BLUE]);
      if (next.done) tell(changes);
      else setTimeout(some);
    };
    setTimeout(some, PAUSE);
  }

  const unwatch = watch(model, TRAITS, () => {
    const state = get();
    const { maps, n: units, index, region: [top, left, bottom, right] } = place(state);
    const bytes = bytesOf(state.pixels);
    const values = runner(state)(bytes);
    paint(photo, bytes);
    for (const one of [field, seen]) one.show(left, top, right - left, bottom - top);

    grid = Math.ceil(Math.sqrt(maps));
    const [wide, tall] = [grid, Math.ceil(maps / grid)].map((count) => count * (units + GAP) - GAP);
    const corner = (map) => [(map % grid) * (units + GAP), Math.floor(map / grid) * (units + GAP)];
    const sheet = new Float32Array(wide * tall); // all maps, side by side
    values.forEach((value, i) => {
      const [x, y] = corner(Math.floor(i / units ** 2));
      sheet[(y + (Math.floor(i / units) % units)) * wide + x + (i % units)] = value;
    });
    shade(numbers, wide, sheet, [BLUE, ORANGE]);
    pad.setAttribute("viewBox", `0 0 ${wide} ${tall}`);
    borders.setAttribute("d", [...Array(maps).keys()].map((map) => `M${corner(map)}h${units}v${units}h${-units}z`).join(""));
    const [map, row, column] = state.unit;
    const [x, y] = corner(map);
    here.show(x + column, y + row, 1, 1);

    const { title } = layers[state.layer - 1];
    const answers = state.layer === layers.length;
    choice.show();
    arm.press(state.network);
    layer.show(state.layer, `${state.layer}: ${title}`);
    side.show(state.side, `${state.side} × ${state.side}`);
    const value = values[index];
    sees.textContent = `what it can see: ${bottom - top} × ${right - left}`;
    chosen.textContent = `its value: ${fixed(value, 2)} (${maps} maps of ${units} × ${units})`;
    const which = `Unit in map ${map}${answers ? ` (“${names[map]}”)` : ""}, row ${row}, column ${column} of layer ${state.layer}, ${title}. Its value is ${fixed(value, 2)}. `
      + `It can see rows ${top} to ${bottom - 1} and columns ${left} to ${right - 1}: ${Math.round((100 * (bottom - top) * (right - left)) / n ** 2)} % of the picture. `;
    const square = `a grey square of ${state.side} × ${state.side} pixels`;
    say(`${which}Moving ${square} over the picture …`);
    look(state, bytes, value, (changes) => {
      const parts = [[Math.min, "lowers"], [Math.max, "raises"]].map(([pick, verb]) => [pick(...changes), verb]).filter(([change]) => Math.abs(change) >= 0.005)
        .map(([change, verb]) => `${verb} it most, to ${fixed(value + change, 2)}, around (${Math.floor(changes.indexOf(change) / n)}, ${changes.indexOf(change) % n})`);
      say(`${which}${`${square} ${parts.join("; it ") || "hardly changes it anywhere"}.`.replace(/^a/, "A")}`);
    });
  });
  return () => { survey++; choice.end(); unwatch(); };
}

export default { compute, render };
