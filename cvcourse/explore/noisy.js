// Noisy Student: every round's student becomes the next one's teacher; how do the labels change?

const TILE = 32, COLUMNS = 8; // the mosaic of example pictures

function compute({ rounds, labels, round }) {
  const right = rounds.map((guesses) => guesses.map((guess, i) => guess === labels[i]));
  const before = right[Math.max(0, round - 1)];
  const was = right[round].map((now, i) => (now ? (before[i] ? "right" : "corrected") : (before[i] ? "broken" : "wrong")));
  const count = (what) => was.filter((one) => one === what).length;
  return { accuracy: right.map((all) => sum(all.map(Number)) / labels.length), corrected: count("corrected"),
    broken: count("broken"), wrong: count("wrong") + count("broken"), was };
}

function render({ model, el }) {
  const traits = ["rounds", "labels", "names", "round", "mosaic", "shown"];
  const get = () => Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  const { rounds, labels, names, shown, mosaic } = get();
  const last = rounds.length - 1;
  const go = (round) => put(model, { round: Math.max(0, Math.min(last, round)) });
  const called = (round) => (round === 0 ? "teacher" : `student ${round}`);
  const bars = rounds.map((_, i) => {
    const made = bar("green");
    return { made, element: h("div", { class: "cvx-top" }, h("span", {}, called(i)), made.element) };
  });
  const slide = slider("Round", { min: 0, max: last, step: 1 }, go);
  const steps = buttons("Step", { "one back": () => go(model.get("round") - 1), "one on": () => go(model.get("round") + 1) });
  const tiles = [...Array(shown).keys()].map((i) => {
    const [x, y] = [(i % COLUMNS) * TILE, Math.floor(i / COLUMNS) * TILE];
    const picture = h("svg:svg", { viewBox: `${x} ${y} ${TILE} ${TILE}`, role: "img", "aria-label": `Picture ${i + 1}, a ${names[labels[i]]}` },
      h("svg:image", { href: mosaic, width: COLUMNS * TILE, height: Math.ceil(shown / COLUMNS) * TILE }));
    const [old, now] = [h("span", { class: "cvx-name" }), h("span", {})];
    return { old, now, element: h("div", { class: "cvx-tile" }, picture, old, now) };
  });
  const say = card(el, "Noisy Student, round by round", ...bars.map((b) => b.element),
    h("div", { class: "cvx-controls" }, slide.element, steps.element),
    legend({ green: "right", blue: "just corrected", orange: "just broken" }), h("div", { class: "cvx-tiles" }, ...tiles.map((t) => t.element)));

  return watch(model, traits, () => {
    const state = get();
    const { round } = state;
    const { accuracy, corrected, broken, wrong, was } = compute(state);
    bars.forEach(({ made, element }, i) => {
      if (i > round) made.show(0, "?"); // step on, and see
      else made.show(accuracy[i], fixed(accuracy[i], 3));
      element.style.fontWeight = i === round ? 600 : 400;
    });
    tiles.forEach(({ old, now, element }, i) => {
      const [guess, before] = [rounds[round][i], rounds[Math.max(0, round - 1)][i]];
      element.dataset.was = was[i];
      now.textContent = `${guess === labels[i] ? "✓" : "✗"} ${names[guess]}`;
      old.textContent = before === guess ? "" : names[before];
    });
    slide.show(round, called(round));
    const change = round === 0 ? "" : ` Since the round before, ${corrected} labels were corrected and ${broken} broken.`;
    say(`Of ${labels.length.toLocaleString("en")} labels by ${round ? called(round) : "the teacher"}, ${fixed(100 * accuracy[round], 1)} % are right and ${wrong} wrong.${change}`);
  });
}

export default { compute, render };
