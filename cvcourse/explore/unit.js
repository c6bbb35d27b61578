// What a unit sees, how strongly it answers, and what it looks at. forward.js runs the networks, in the page.

const GREY = 128, PAUSE = 40; // of the square; milliseconds after a change before the work
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

// A part of some maps: its rows and its columns, each the first and one past the last.
const common = (part, other) => part.map(([first, past], axis) => [Math.max(first, other[axis][0]), Math.min(past, other[axis][1])]);
const sides = (part) => part.map(([first, past]) => past - first);
const whole = ({ shape: [, ...ends] }) => ends.map((n) => [0, n]);

// The part of a layer's outputs that a part of its inputs reaches, and the part of its inputs, `given`, that one of its outputs takes.
const joins = ({ kind }) => ["mean", "linear"].includes(kind);
const reached = (layer, part) => part.map(([first, past]) => {
  const { size = 1, stride = 1, padding = 0 } = layer;
  return joins(layer) ? [0, 1] : [Math.ceil((first + padding - size + 1) / stride), Math.floor((past - 1 + padding) / stride) + 1];
});
const taken = (layer, part, given) => (joins(layer) ? whole(given) : part.map(([first, past]) => {
  const { size = 1, stride = 1, padding = 0 } = layer;
  return [first * stride - padding, (past - 1) * stride - padding + size];
}));

// Copies what lies in both parts.
function lay(data, from, onto, to) {
  const [[high, broad], [tall, wide], [[top, bottom], [left, right]]] = [sides(from), sides(to), common(from, to)];
  for (let c = 0; c * tall * wide < onto.length; c++) for (let y = top; y < bottom; y++) {
    const [start, end] = [(c * high + y - from[0][0]) * broad - from[1][0], (c * tall + y - to[0][0]) * wide - to[1][0]];
    for (let x = left; x < right; x++) onto[end + x] = data[start + x];
  }
}

// One unit of a picture: its value, and change(part), by how much that changes if a part of the picture is grey. Of every
// layer's maps only what is changed is computed, and of that only what the unit needs.
function alone({ networks, network: name, layer, unit: [map, ...at] }, bytes) {
  const { shape, layers } = networks[name];
  let maps = { data: Float32Array.from(bytes), shape };
  const steps = layers.slice(0, layer).map(decoded).map((one) => {
    const given = maps;
    maps = LAYERS[one.kind](given, one);
    return { one, given, bare: { ...one, padding: 0 } };
  });
  let needed = at.map((one) => [one, one + 1]);
  for (const step of [...steps].reverse()) {
    step.needed = needed;
    needed = common(taken(step.one, needed, step.given), whole(step.given));
  }
  const [, height, width] = maps.shape, value = maps.data[(map * height + at[0]) * width + at[1]];
  const change = (hidden) => {
    let part = common(hidden, whole({ shape })), [tall, wide] = sides(part);
    let data = new Float32Array(shape[0] * tall * wide).fill(GREY);
    for (const { one, given, bare, needed } of steps) {
      const outputs = common(reached(one, part), needed), inputs = taken(one, outputs, given);
      if (sides(outputs).some((side) => side < 1)) return 0;
      [tall, wide] = sides(inputs);
      const seen = new Float32Array(given.shape[0] * tall * wide); // zeros around
      lay(given.data, whole(given), seen, inputs);
      lay(data, part, seen, inputs);
      [part, { data }] = [outputs, LAYERS[one.kind]({ data: seen, shape: [given.shape[0], tall, wide] }, bare)];
    }
    return data[map] - value;
  };
  return { value, change };
}

// Puts into `changes` by how much the unit's value changes if a pixel and those around it are hidden: for every 4th pixel,
// then every 2nd, then all. It rests after each, which stands for its neighbours until they are known.
function* occlusion(state, bytes, changes) {
  const { shape: [, n] } = state.networks[state.network];
  const { change } = alone(state, bytes);
  const square = (at) => [at - (state.side >> 1), at - (state.side >> 1) + state.side];
  for (const step of [4, 2, 1]) for (let row = 0; row < n; row += step) for (let column = 0; column < n; column += step) {
    if (step < 4 && row % (2 * step) === 0 && column % (2 * step) === 0) continue; // it was, with a larger step
    const found = change([square(row), square(column)]);
    for (let y = row; y < Math.min(n, row + step); y++) changes.fill(found, y * n + column, y * n + Math.min(n, column + step));
    yield;
  }
}

function compute(state) {
  const exported = state.networks[state.network];
  const [run, bytes, n] = [part(exported, state.layer), bytesOf(state.pixels), exported.shape[1]];
  const values = run(bytes);
  const { index, region } = place(state);
  const changes = new Float32Array(n * n);
  const work = occlusion(state, bytes, changes);
  while (!work.next().done);
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
  let made = {}, rest = () => {}, grid = 1; // rest: ends the search

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

  // All places of the square; tell() when it was everywhere.
  function look(state, bytes, tell) {
    const changes = new Float32Array(n * n);
    rest();
    rest = in_slices(occlusion(state, bytes, changes), ({ done }) => {
      shade(heat, n, changes, [ORANGE, BLUE]);
      if (done) tell(changes);
    }, PAUSE);
  }

  function draw() {
    const state = get();
    const { maps, n: units, index, region: [top, left, bottom, right] } = place(state);
    const bytes = bytesOf(state.pixels);
    const values = runner(state)(bytes);
    paint(photo, coloured(bytes));
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
    sees.textContent = `what it can see: ${bottom - top}\u00a0×\u00a0${right - left}`;
    chosen.textContent = `its value: ${fixed(value, 2)} (${maps} maps of ${units} × ${units})`;
    const which = `Unit in map ${map}${answers ? ` (“${names[map]}”)` : ""}, row ${row}, column ${column} of layer ${state.layer}, ${title}. Its value is ${fixed(value, 2)}. `
      + `It can see rows ${top} to ${bottom - 1} and columns ${left} to ${right - 1}: ${Math.round((100 * (bottom - top) * (right - left)) / n ** 2)} % of the picture. `;
    const square = `a grey square of ${state.side} × ${state.side} pixels`;
    say(`${which}Moving ${square} over the picture …`);
    look(state, bytes, (changes) => {
      const parts = [[Math.min, "lowers"], [Math.max, "raises"]].map(([pick, verb]) => [pick(...changes), verb]).filter(([change]) => Math.abs(change) >= 0.005)
        .map(([change, verb]) => `${verb} it most, to ${fixed(value + change, 2)}, around (${Math.floor(changes.indexOf(change) / n)}, ${changes.indexOf(change) % n})`);
      say(`${which}${`${square} ${parts.join("; it ") || "hardly changes it anywhere"}.`.replace(/^a/, "A")}`);
    });
  }

  say("The network has not been asked yet. It is, once this figure is near.");
  const ends = [() => rest(), choice.end, when_near(el, () => ends.push(watch(model, TRAITS, draw)))];
  return () => ends.forEach((one) => one());
}

export default { compute, render };
