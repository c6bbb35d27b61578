// Pictures that a reader brings: from files, from the camera where a browser opens one for a page, pasted or dropped.

const BARE = "#f4f2ec"; // where a picture is transparent

// On all of a square canvas, the middle of an image, as large as fits.
function cover(context, image) {
  const side = Math.min(image.width, image.height), { width: n } = context.canvas;
  context.fillStyle = BARE;
  context.fillRect(0, 0, n, n);
  Object.assign(context, { imageSmoothingEnabled: side > n, imageSmoothingQuality: "high" });
  context.drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, n, n);
}

// As the networks want it: all of red, all of green, all of blue.
function planes(rgba) {
  const area = rgba.length / 4;
  return Uint8Array.from({ length: 3 * area }, (_, i) => rgba[4 * (i % area) + ((i / area) | 0)]);
}

function paint(canvas, rgba) {
  const n = Math.sqrt(rgba.length / 4);
  if (canvas.width !== n) Object.assign(canvas, { width: n, height: n });
  canvas.getContext("2d").putImageData(new ImageData(rgba, n, n), 0, 0);
  return canvas;
}

// The picture at an address, as soon as it is here; a line for the reader if it is none. end(): the address has been read.
function open_picture(uri, fault, take, end = () => {}) {
  const image = new Image();
  image.onload = () => { end(); fault.textContent = ""; take(image); };
  image.onerror = () => { end(); fault.textContent = "This browser cannot show that file as a picture. A PNG or a JPEG will do."; };
  image.src = uri;
}

// For the card el. into(where) says what is done with a picture, by where it was chosen, dropped or pasted: an element.
// fault: the line for the reader; doors(text, label): buttons, with the inputs that they click; end(): no more.
function bring(el, into, many = false) {
  const fault = h("p", { class: "cvx-fault", role: "alert" });
  const open = (files, where) => {
    const take = into(where);
    for (const file of files.slice(0, many ? files.length : 1)) {
      const uri = URL.createObjectURL(file);
      open_picture(uri, fault, take, () => URL.revokeObjectURL(uri));
    }
  };
  const door = (text, label, source) => {
    const input = h("input", { type: "file", accept: "image/*", hidden: "", "aria-label": label, ...source,
      change: () => { open([...input.files], input); input.value = ""; } });
    return [h("button", { type: "button", click: () => input.click() }, text), input];
  };
  const doors = (text, label) => [...door(text, label, { multiple: many }),
    ...("capture" in HTMLInputElement.prototype ? door("camera", label, { capture: "environment" }) : [])]; // phones
  const pasted = ({ clipboardData }) => {
    const files = [...clipboardData.files].filter(({ type }) => type.startsWith("image/")), where = document.activeElement;
    if (el.contains(where) || where === document.body) open(files, where);
  };
  el.addEventListener("dragover", (event) => event.preventDefault());
  el.addEventListener("drop", (event) => {
    event.preventDefault();
    open([...event.dataTransfer.files], event.target);
  });
  document.addEventListener("paste", pasted);
  return { fault, doors, end: () => document.removeEventListener("paste", pasted) };
}

// The book's pictures, shown by `faces`, and the doors for one's own; press(i) marks the one that holds.
function choices(faces, captions, act, doors) {
  const made = faces.map((face, i) => h("button", { type: "button", "aria-label": `Picture ${i + 1}, ${captions[i]}`, title: captions[i], click: () => act(i) }, face));
  return { element: h("div", { class: "cvx-choose", role: "group", "aria-label": "Pictures of the book" }, ...made, ...doors),
    press: (held) => made.forEach((button, i) => button.setAttribute("aria-pressed", String(i === held))) };
}
