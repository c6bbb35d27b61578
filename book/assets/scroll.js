// What is wider or higher than its place can be scrolled with the keyboard, too. A thing is looked at
// once it is laid out, which far sections are when the reader gets near; until then it is taken to
// scroll.
{
  const scrollable =
    "div.math, pre, .cell_output > .output, .jp-RenderedHTMLCommon, .pst-scrollable-table-container";
  const observer = new ResizeObserver((entries) => {
    const fits = (e) => e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight;
    const elements = entries.map((entry) => entry.target);
    const still = new Set(elements.filter(fits)); // all are read before one is changed
    for (const element of elements) {
      if (!still.has(element)) element.tabIndex = 0;
      else if (element !== document.activeElement) element.removeAttribute("tabindex");
    }
  });
  for (const element of document.querySelectorAll(scrollable)) {
    element.tabIndex = 0;
    observer.observe(element);
  }
}
