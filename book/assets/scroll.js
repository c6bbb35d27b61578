// What is wider or higher than its place can be scrolled with the keyboard, too; a table that scrolls
// is a region with a name. A thing is looked at once it is laid out, which far sections are when the
// reader gets near; until then it is taken to scroll.
{
  const scrollable =
    "div.math, pre, .zoom, .cell_output > .output, .jp-RenderedHTMLCommon, .pst-scrollable-table-container";
  const names = new Map(); // of those that hold a table
  const fits = (e) => e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight;
  const show = (element, scrolls) => {
    if (scrolls) element.tabIndex = 0;
    else if (element !== document.activeElement) element.removeAttribute("tabindex");
    if (!names.has(element)) return;
    element.role = scrolls ? "region" : null;
    element.ariaLabel = scrolls ? names.get(element) : null;
  };
  const observer = new ResizeObserver((entries) => {
    const elements = entries.map((entry) => entry.target);
    const still = new Set(elements.filter(fits)); // all are read before one is changed
    for (const element of elements) show(element, !still.has(element));
  });
  for (const element of document.querySelectorAll(scrollable)) {
    const heading = element.querySelector("th")?.textContent;
    if (heading) names.set(element, `Table ${names.size + 1}: ${heading}`);
    show(element, true);
    observer.observe(element);
  }
}

// Once there is nothing else to do, far sections are laid out one by one, so that the page keeps its
// length while one scrolls; at once, where the reader is led to a place further down.
{
  const far = [...document.querySelectorAll("article > section > section")];
  const show = (section) => (section.style.contentVisibility = "visible");
  const wait = window.requestIdleCallback ?? ((task) => setTimeout(task, 200));
  const next = () => {
    const section = far.shift();
    if (!section) return;
    show(section);
    wait(next, { timeout: 100 });
  };
  if (location.hash) far.forEach(show);
  else addEventListener("load", () => wait(next));
}
