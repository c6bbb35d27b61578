// Softmax with a temperature: logits in, probabilities out.

function softmax(logits, temperature) {
  const top = Math.max(...logits); // exp never overflows
  const powers = logits.map((z) => Math.exp((z - top) / temperature));
  const total = sum(powers);
  return powers.map((power) => power / total);
}

const entropy = (p) => sum(p.map((x) => (x > 0 ? -x * Math.log2(x) : 0))); // bits

const PRESETS = {
  "The notes’ example": { names: ["cow", "dog"], logits: [0, 5], temperature: 100 },
  "Looks like a car": { names: ["cow", "dog", "cat", "car"], logits: [-2, 3, 2, 6], temperature: 2 },
  "A tie": { names: ["cow", "dog", "cat"], logits: [1, 1, -3], temperature: 1 },
};

function compute({ logits, temperature }) {
  const at_one = softmax(logits, 1);
  const probabilities = softmax(logits, temperature);
  const hard = logits.map((_, i) => Number(i === logits.indexOf(Math.max(...logits))));
  return { hard, at_one, probabilities, entropy: entropy(probabilities), entropy_at_one: entropy(at_one) };
}

function render({ model, el }) {
  let rows = [];
  const table = h("div", {});
  const temperature = slider("Temperature T", { min: -2, max: 3, step: 0.01, label: "Temperature T, logarithmic" },
    (power) => put(model, { temperature: Number((10 ** power).toPrecision(3)) }));
  const presets = buttons("Try", Object.fromEntries(
    Object.entries(PRESETS).map(([name, state]) => [name, () => put(model, state)])));
  const key = legend({ grey: "softmax at T = 1", blue: "softmax at your T" });
  const say = card(el, "Softmax with a temperature", key, table,
    h("div", { class: "cvx-controls" }, temperature.element, presets.element));

  function row(name, index) {
    const logit = slider("logit", { min: -10, max: 10, step: 0.1, label: `Logit of ${name}` }, (z) => {
      const logits = [...model.get("logits")];
      logits[index] = z;
      put(model, { logits });
    });
    const badge = h("span", { class: "cvx-badge" });
    const bars = [bar("grey"), bar("blue")];
    const element = h("div", { class: "cvx-class", "data-class": name },
      h("span", {}, name, badge), logit.element, h("div", {}, ...bars.map((b) => b.element)));
    return { element, logit, badge, bars };
  }

  return watch(model, ["names", "logits", "temperature"], () => {
    const [names, logits, T] = ["names", "logits", "temperature"].map((name) => model.get(name));
    const shown = rows.map((r) => r.element.dataset.class).join("\n");
    if (shown !== names.join("\n")) {
      rows = names.map(row);
      table.replaceChildren(...rows.map((r) => r.element));
    }
    const { hard, at_one, probabilities, ...bits } = compute({ logits, temperature: T });
    rows.forEach(({ logit, badge, bars }, i) => {
      logit.show(logits[i], fixed(logits[i], 1));
      badge.textContent = `hard ${hard[i]}`;
      badge.toggleAttribute("data-on", hard[i] === 1);
      [at_one[i], probabilities[i]].forEach((p, b) => bars[b].show(p, fixed(p, 4)));
    });
    temperature.show(Math.log10(T), `T = ${T}`);
    say(`At T = ${T} the soft prediction is ${words(probabilities, 4)} with an entropy of `
      + `${fixed(bits.entropy, 2)} bits; at T = 1 it has ${fixed(bits.entropy_at_one, 2)}, `
      + `and ${fixed(Math.log2(names.length), 2)} is the most there can be.`);
  });
}

export default { compute, render };

