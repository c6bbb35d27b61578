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

// Once the page is shown and there is nothing else to do, far sections are laid out, one by one, so
// that the page keeps its length while one scrolls. Interactive figures get their scripts, one after
// another, when the reader sees one of them, or stirs, or has had three seconds to begin. All of it
// comes at once where the reader is led to a place further down.
{
  const SIGNS = ["keydown", "pointerdown", "pointermove", "scroll", "touchstart", "wheel"];
  const far = [...document.querySelectorAll("article > section > section")];
  const scripts = [...document.querySelectorAll("script[data-src]")];
  const show = (section) => (section.style.contentVisibility = "visible");
  const ask = (script) =>
    script.replaceWith(Object.assign(document.createElement("script"), { src: script.dataset.src }));
  const wait = window.requestIdleCallback ?? ((task) => setTimeout(task, 200));
  const inTurn = (things, act) => {
    if (!things.length) return;
    act(things.shift());
    wait(() => inTurn(things, act), { timeout: 100 });
  };
  const wake = () => inTurn(scripts, ask);
  const seen = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && wake());
  if (location.hash) {
    far.forEach(show);
    scripts.forEach(ask);
  } else {
    addEventListener("load", () => {
      requestAnimationFrame(() => wait(() => inTurn(far, show)));
      for (const script of scripts) seen.observe(script.previousElementSibling);
      for (const sign of SIGNS) addEventListener(sign, wake, { once: true, passive: true });
      setTimeout(wake, 3000);
    });
  }
}

// The contents mark the section that is read. The theme sees a heading only while it passes the upper
// part of the window, and misses those that a long jump passes: the mark is mended after it.
{
  const nav = document.querySelector("#pst-page-toc-nav");
  const links = [...(nav?.querySelectorAll("a[href^='#']") ?? [])].map((link) => ({
    link, section: document.getElementById(decodeURIComponent(link.hash.slice(1))) }));
  const top = ({ section }) => section?.getBoundingClientRect().top;
  const mark = () => {
    const marked = links.find(({ link }) => link.classList.contains("active"));
    if (marked && top(marked) >= 0 && top(marked) < 0.7 * innerHeight) return;
    const read = links.filter((each) => top(each) < 0.3 * innerHeight).at(-1);
    for (const { link } of links) {
      link.classList.toggle("active", link === read?.link);
      link.ariaCurrent = link === read?.link ? "true" : null;
    }
    for (const entry of nav.querySelectorAll(".toc-entry")) entry.classList.toggle("active", Boolean(read) && entry.contains(read.link));
  };
  let waiting;
  if (links.length) addEventListener("scroll", () => { clearTimeout(waiting); waiting = setTimeout(mark, 120); }, { passive: true });
}
