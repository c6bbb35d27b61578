// RandAugment: N operations drawn at random, all of one strength M, one after the other.

// Where in the mosaic the picture stands after step 1, 2, … of the chosen draw: (row, column).
function compute({ operations, strengths, draw, level, n }) {
  const row = draw * strengths.length + level;
  const steps = operations[draw].slice(0, n);
  return { steps, tiles: steps.map((_, step) => [row, step]) };
}

function render({ model, el }) {
  const traits = ["operations", "strengths", "draw", "level", "n", "side", "mosaic", "original"];
  const get = () => Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  const { operations, strengths } = get();
  const most = operations[0].length;
  const n = slider("N operations", { min: 0, max: most, step: 1 }, (value) => put(model, { n: value }));
  const m = slider("M strength", { min: 0, max: strengths.length - 1, step: 1 }, (value) => put(model, { level: value }));
  const again = buttons("Draw", { "draw again": () => put(model, { draw: (model.get("draw") + 1) % operations.length }) });
  const frames = [...Array(most + 1).keys()].map((step) => {
    const image = h("svg:image", {});
    const picture = h("svg:svg", { role: "img" }, image);
    const name = h("figcaption", { class: "cvx-name" });
    return { step, image, picture, name, element: h("figure", {}, picture, name) };
  });
  const strip = h("div", { class: "cvx-strip", style: `--frames: ${most + 1}` }, ...frames.map((f) => f.element));
  const say = card(el, "RandAugment, step by step", strip, h("div", { class: "cvx-controls" }, n.element, m.element, again.element));

  return watch(model, traits, () => {
    const state = get();
    const { side, mosaic, original, draw, level } = state;
    const { steps, tiles } = compute(state);
    const rows = operations.length * strengths.length;
    frames.forEach(({ step, image, picture, name, element }) => {
      const here = step <= state.n;
      const [row, column] = here && step ? tiles[step - 1] : [0, 0];
      const size = step ? [most * side, rows * side] : [side, side];
      picture.setAttribute("viewBox", `${column * side} ${row * side} ${side} ${side}`);
      Object.entries({ href: step ? mosaic : original, width: size[0], height: size[1] }).forEach(([key, value]) => image.setAttribute(key, value));
      element.style.visibility = here ? "visible" : "hidden";
      name.textContent = step ? `${step}. ${here ? steps[step - 1] : ""}` : "original";
      picture.setAttribute("aria-label", step ? `After step ${step}, ${steps[step - 1] ?? ""}` : "The original");
    });
    n.show(state.n, `N = ${state.n}`);
    m.show(level, `M = ${strengths[level]}`);
    say(`Draw ${draw + 1} of ${operations.length} at strength ${strengths[level]}: ${steps.length ? steps.join(", then ") : "nothing happens"}.`);
  });
}

export default { compute, render };
