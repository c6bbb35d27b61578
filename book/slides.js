// Keys, and slides that are fuller than others. Without this script the pages scroll and snap.
const deck = [...document.querySelectorAll("main > section")];
let at = 0;

function show(number) {
  at = Math.max(0, Math.min(deck.length - 1, number));
  deck[at].scrollIntoView();
  history.replaceState(null, "", `#${at + 1}`);
}

const moves = {
  ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1,
  ArrowLeft: -1, ArrowUp: -1, PageUp: -1,
  Home: -Infinity, End: Infinity,
};
addEventListener("keydown", (event) => {
  const move = moves[event.key];
  const changed = event.ctrlKey || event.altKey || event.metaKey || event.shiftKey;
  const paging = event.key.startsWith("Page"); // a presenter's remote sends these
  // An interactive figure keeps its arrows and its space bar.
  const theirs = event.target.closest("[data-explorable], summary, a") && !paging;
  if (!move || changed || theirs) return;
  event.preventDefault();
  show(at + move);
});
addEventListener("scroll", () => { at = Math.round(scrollY / innerHeight); }, { passive: true });
addEventListener("resize", () => { fitAll(); deck[at].scrollIntoView(); });

// Smaller letters where a slide says more than others; an interactive figure as large as it can be.
function fit(body) {
  const live = body.querySelector(":scope > [data-explorable]");
  if (live) {
    live.style.zoom = 1;
    const rest = [...body.children].filter((each) => each !== live);
    const taken = rest.reduce((sum, each) => sum + each.offsetHeight, 4);
    const room = body.clientHeight - taken;
    live.style.zoom = Math.min(room / live.offsetHeight, body.clientWidth / live.offsetWidth);
    return;
  }
  let scale = body.closest(".figure, .opening") ? 1 : 1.25;
  const full = () => body.scrollHeight > body.clientHeight || body.scrollWidth > body.clientWidth;
  do body.style.setProperty("--fit", scale); while (full() && (scale -= 0.03) > 0.6);
}

function fitAll() {
  document.querySelectorAll(".body").forEach(fit);
}

addEventListener("load", () => {
  fitAll();
  show((parseInt(location.hash.slice(1)) || 1) - 1);
});
addEventListener("beforeprint", fitAll);
