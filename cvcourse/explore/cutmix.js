// CutMix: a box of one picture in another, and the label that goes with it.

const SIDE = 224; // pixels

// The box drawn for a share λ, clipped by the picture's border, and the λ that is left of it.
function compute({ lam, centre }) {
  const half = Math.floor(0.5 * Math.sqrt(1 - lam) * SIDE);
  const [top, left] = centre.map((at) => Math.max(0, at - half));
  const [bottom, right] = centre.map((at) => Math.min(SIDE, at + half));
  return { half, box: [top, left, bottom, right], kept: 1 - ((bottom - top) * (right - left)) / SIDE ** 2 };
}

function render({ model, el }) {
  const traits = ["lam", "centre", "pictures", "names"];
  const inside = (at) => Math.max(0, Math.min(SIDE, Math.round(at)));
  const move = (y, x) => put(model, { centre: [inside(y), inside(x)] });
  const whole = { width: SIDE, height: SIDE, preserveAspectRatio: "none" };
  const [below, above] = [h("svg:image", whole), h("svg:image", whole)];
  const cut = h("svg:svg", {}, above); // an inner svg clips what it holds
  const wanted = h("svg:rect", { fill: "none", stroke: "var(--cvx-orange)", "stroke-width": 2, "stroke-dasharray": "5 4" });
  const frame = h("svg:rect", { fill: "none", stroke: "var(--cvx-orange)", "stroke-width": 2.5 });
  const figure = h("svg:svg", { viewBox: `-40 -40 ${SIDE + 80} ${SIDE + 80}`, tabindex: 0, role: "application",
    "aria-label": "The box: arrow keys move it" }, below, cut, wanted, frame);
  draggable(figure, figure, ({ x, y }) => move(y, x),
    ({ x, y }) => move(model.get("centre")[0] + 4 * y, model.get("centre")[1] + 4 * x));
  const lam = slider("λ drawn", { min: 0, max: 1, step: 0.01, label: "λ drawn, the first picture’s share" }, (value) => put(model, { lam: value }));
  const bars = [bar("blue"), bar("orange")];
  const labels = model.get("names").map((name, i) => h("div", { class: "cvx-top" }, h("span", {}, name), bars[i].element));
  const say = card(el, "CutMix", h("div", { class: "cvx-warp" }, figure,
    h("div", {}, h("p", { class: "cvx-says" }, "the label of this picture"), ...labels)),
  h("div", { class: "cvx-controls" }, lam.element));

  return watch(model, traits, () => {
    const [share, centre, pictures, names] = traits.map((name) => model.get(name));
    const { half, box: [top, left, bottom, right], kept } = compute({ lam: share, centre });
    const set = (element, attributes) => Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    below.setAttribute("href", pictures[0]);
    above.setAttribute("href", pictures[1]);
    const [width, height] = [right - left, bottom - top];
    set(frame, { x: left, y: top, width, height });
    set(wanted, { x: centre[1] - half, y: centre[0] - half, width: 2 * half, height: 2 * half });
    set(cut, { x: left, y: top, width, height, viewBox: `${left} ${top} ${width} ${height}` });
    cut.setAttribute("visibility", width * height ? "visible" : "hidden");
    [kept, 1 - kept].forEach((part, i) => bars[i].show(part, fixed(part, 3)));
    lam.show(share, fixed(share, 2));
    const clipped = Math.abs((2 * half) ** 2 - width * height) > 0;
    say(`λ drawn is ${fixed(share, 2)}: a box of ${2 * half} × ${2 * half} pixels. ${clipped ? `The border leaves ${width} × ${height} of it` : "All of it lies inside"}, `
      + `so the label is ${fixed(kept, 3)} ${names[0]} and ${fixed(1 - kept, 3)} ${names[1]}.`);
  });
}

export default { compute, render };
