// A sheet to draw on, with its pens, and what a network of forward.js sees of it.

const SIDE = 32, SHEET = 256; // pixels of what the networks see, and of the sheet that is drawn on
const GREY = 128; // of what hides
const SHEETS = { "white sheet": BARE, "dark sheet": "#2c3038" };
const INKS = { "white sheet": "#1c2a4a", "dark sheet": "#f3d36b" };
const STILL = { shift: [0, 0], scale: 1, turn: 0, hidden: 0, hidden_at: [0.5, 0.5] };

// From a place in the view to the one on the sheet, as shares of their side; turn: degrees counter-clockwise.
function placer({ shift, scale, turn }) {
  const [cos, sin] = [Math.cos, Math.sin].map((f) => f((turn * Math.PI) / 180) / scale);
  return (x, y) => {
    const [right, down] = [x - 0.5 - shift[0] / SIDE, y - 0.5 - shift[1] / SIDE];
    return [cos * right - sin * down + 0.5, sin * right + cos * down + 0.5];
  };
}

// The view, n × n RGBA, each the mean of samples² points; outside, the sheet's border is repeated.
function view({ side, data }, place, n, samples) {
  const result = new Uint8ClampedArray(n * n * 4).fill(255);
  const { hidden, hidden_at: [across, down] } = place;
  const back = placer(place);
  const [x0, y0] = back(0, 0);
  const [cos, sin] = [back(1, 0)[0] - x0, back(1, 0)[1] - y0]; // one view to the right; down is (−sin, cos)
  const [step, count] = [1 / (n * samples), samples ** 2];
  for (let v = 0, to = 0; v < n; v++) for (let u = 0; u < n; u++, to += 4) {
    let red = 0, green = 0, blue = 0;
    for (let j = 0.5; j < samples; j++) for (let i = 0.5; i < samples; i++) {
      const right = (u * samples + i) * step, under = (v * samples + j) * step;
      const x = x0 + cos * right - sin * under, y = y0 + sin * right + cos * under;
      if (Math.abs(x - across) < hidden / 2 && Math.abs(y - down) < hidden / 2) {
        red += GREY;
        green += GREY;
        blue += GREY;
        continue;
      }
      const column = x < 0 ? 0 : x < 1 ? (x * side) | 0 : side - 1, row = y < 0 ? 0 : y < 1 ? (y * side) | 0 : side - 1;
      const from = 4 * (row * side + column);
      red += data[from];
      green += data[from + 1];
      blue += data[from + 2];
    }
    result[to] = Math.floor(red / count + 0.5);
    result[to + 1] = Math.floor(green / count + 0.5);
    result[to + 2] = Math.floor(blue / count + 0.5);
  }
  return result;
}

// How far the page's golden answers are from those that PyTorch gave, picture by picture: the largest so far.
function* deviation({ shape, golden }, run) {
  const [bytes, length] = [bytesOf(golden.images), shape.reduce((a, b) => a * b)];
  let most = 0;
  for (const [i, row] of golden.logits.entries()) {
    const found = run(bytes.subarray(i * length, (i + 1) * length));
    most = Math.max(most, ...row.map((logit, c) => Math.abs(logit - found[c])));
    yield most;
  }
  return most;
}

// The sheet that everything is drawn on.
function sheet() {
  const canvas = h("canvas", { width: SHEET, height: SHEET });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  Object.assign(context, { lineCap: "round", lineJoin: "round" });
  const past = [];
  return {
    pixels: () => ({ side: SHEET, data: context.getImageData(0, 0, SHEET, SHEET).data }),
    remember: () => { past.push(context.getImageData(0, 0, SHEET, SHEET)); past.splice(0, past.length - 30); },
    undo: () => { if (past.length) context.putImageData(past.pop(), 0, 0); },
    fill: (colour) => { context.fillStyle = colour; context.fillRect(0, 0, SHEET, SHEET); },
    line: (from, to, colour, width) => {
      Object.assign(context, { strokeStyle: colour, lineWidth: width });
      context.beginPath();
      context.moveTo(...from.map((share) => share * SHEET));
      context.lineTo(...to.map((share) => share * SHEET + 0.01)); // a line of no length at all is no dot
      context.stroke();
    },
    picture: (image) => cover(context, image),
  };
}

// A pen's thickness and colour: pen() has them now, ink(colour) sets one.
function pens() {
  const colour = h("input", { type: "color", value: INKS["white sheet"], "aria-label": "Colour of the pen" });
  const thickness = slider("Pen", { min: 4, max: 40, step: 1, label: "Thickness of the pen" }, (value) => thickness.show(value));
  thickness.show(14);
  return { element: h("div", { class: "cvx-own-pen" }, thickness.element, colour), ink: (value) => { colour.value = value; },
    pen: () => ({ colour: colour.value, width: Number(thickness.input.value) }) };
}

