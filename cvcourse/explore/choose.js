// The picture that a figure is about, the trait `pixels`: one of its `pictures`, or the reader's own.
// Pictures are bytes in base64: n × n of red, of green, of blue.

const textOf = (bytes) => btoa(String.fromCharCode(...bytes));

// Such bytes as a canvas takes them.
function coloured(bytes) {
  const area = bytes.length / 3;
  return Uint8ClampedArray.from({ length: 4 * area }, (_, i) => (i % 4 < 3 ? bytes[(i % 4) * area + (i >> 2)] : 255));
}

// The row of pictures for a figure in el; show() marks the one that holds, end() stops listening.
function chooser(el, model) {
  const [pictures, captions] = ["pictures", "captions"].map((name) => model.get(name));
  const n = Math.sqrt(bytesOf(pictures[0]).length / 3);
  const context = h("canvas", { width: n, height: n }).getContext("2d", { willReadFrequently: true });
  const { fault, doors, end } = bring(el, () => (image) => {
    cover(context, image);
    put(model, { pixels: textOf(planes(context.getImageData(0, 0, n, n).data)) });
  });
  const faces = pictures.map((pixels) => paint(h("canvas"), coloured(bytesOf(pixels))));
  const { element, press } = choices(faces, captions, (i) => put(model, { pixels: pictures[i] }), doors("your own …", "A picture of yours"));
  return { element: h("div", {}, element, fault), show: () => press(pictures.indexOf(model.get("pixels"))), end };
}

