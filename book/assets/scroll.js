// What is wider or higher than its place can be scrolled with the keyboard, too. A thing is looked at
// once it is laid out, which far sections are when the reader gets near; until then it is taken to
// scroll.
{
  const scrollable =
    "div.math, pre, .cell_output > .output, .jp-RenderedHTMLCommon, .pst-scrollable-table-container";
  const observer = new ResizeObserver((entries) => {
    const fits = ({ target: t }) =>
      t.scrollWidth <= t.clientWidth && t.scrollHeight <= t.clientHeight;
    const still = entries.filter(fits).map((entry) => entry.target); // all are read before one is changed
    for (const { target } of entries) {
      if (!still.includes(target)) target.tabIndex = 0;
      else if (target !== document.activeElement) target.removeAttribute("tabindex");
    }
  });
  for (const element of document.querySelectorAll(scrollable)) {
    element.tabIndex = 0;
    observer.observe(element);
  }
}
