// The picture that a figure is about, the trait `pixels`: one of its `pictures`, or the reader's own, from a file, pasted
// or dropped. Pictures are bytes in base64: n × n of red, of green, of blue.

const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const textOf = (bytes) => btoa(String.fromCharCode(...bytes));
const BARE = "#f4f2ec"; // where a picture is transparent

function paint(canvas, bytes) {
  const area = bytes.length / 3, n = Math.sqrt(area);
  const image = new ImageData(n, n);
  for (let i = 0; i < area; i++) image.data.set([bytes[i], bytes[area + i], bytes[2 * area + i], 255], 4 * i);
  Object.assign(canvas, { width: n, height: n });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// The middle of an image, as large as fits, made n × n.
function middle(image, n) {
  const context = h("canvas", { width: n, height: n }).getContext("2d");
  const side = Math.min(image.width, image.height);
  context.fillStyle = BARE;
  context.fillRect(0, 0, n, n);
  Object.assign(context, { imageSmoothingEnabled: side > n, imageSmoothingQuality: "high" });
  context.drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, n, n);
  const { data } = context.getImageData(0, 0, n, n);
  return Uint8Array.from({ length: 3 * n * n }, (_, i) => data[4 * (i % (n * n)) + ((i / (n * n)) | 0)]);
}

// The row of pictures for a figure in el; show() marks the one that holds, end() stops listening.
function chooser(el, model) {
  const [pictures, captions] = ["pictures", "captions"].map((name) => model.get(name));
  const n = Math.sqrt(bytesOf(pictures[0]).length / 3);
  const fault = h("p", { class: "cvx-choose-fault", role: "alert" });
  const open = (given) => {
    const image = new Image();
    image.onload = () => { fault.textContent = ""; put(model, { pixels: textOf(middle(image, n)) }); };
    image.onerror = () => { fault.textContent = "This browser cannot show that file as a picture. A PNG or a JPEG will do."; };
    image.src = URL.createObjectURL(given);
  };
  const file = h("input", { type: "file", accept: "image/*", hidden: "", "aria-label": "A picture of yours",
    change: () => { if (file.files[0]) open(file.files[0]); file.value = ""; } });
  const choices = pictures.map((pixels, i) => h("button", { type: "button", "aria-label": `Picture ${i + 1}, ${captions[i]}`, title: captions[i],
    click: () => put(model, { pixels }) }, paint(h("canvas"), bytesOf(pixels))));
  const element = h("div", {}, h("div", { class: "cvx-choose", role: "group", "aria-label": "Pictures of the book" }, ...choices,
    h("button", { type: "button", click: () => file.click() }, "your own …"), file), fault);

  const pasted = (event) => {
    const given = [...event.clipboardData.files].find(({ type }) => type.startsWith("image/"));
    if (given && (el.contains(document.activeElement) || document.activeElement === document.body)) open(given);
  };
  el.addEventListener("dragover", (event) => event.preventDefault());
  el.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", pasted);
  return {
    element,
    show: () => choices.forEach((button, i) => button.setAttribute("aria-pressed", String(pictures[i] === model.get("pixels")))),
    end: () => document.removeEventListener("paste", pasted),
  };
}

