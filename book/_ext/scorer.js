// Which page a search shows first: a chapter before any other, the package's reference last. What
// has the words for a title, "Page > Title", comes before pages with the words in any of theirs.
var Scorer = {
  score: ([page, title, , , score]) => {
    if (page.startsWith("book/api/")) return score - 100;
    return score + page.startsWith("notebooks/") + 2 * title.includes(" > ");
  },
  // The rest is Sphinx's own.
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
