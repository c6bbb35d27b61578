"""Long work in the page: in short pieces, so that it answers in between."""

from __future__ import annotations

from typing import Any

from cvcourse.explore.base import module

TRY = """async ([code, ended]) => {
    const url = URL.createObjectURL(new Blob([`${code}; export { in_slices };`],
        { type: "text/javascript" }));
    const { in_slices } = await import(url);
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    function* busy() {
        for (let i = 0; i < 20; i++) {
            const until = performance.now() + 4;
            while (performance.now() < until);
            yield i;
        }
        return "all of it";
    }
    const shown = [];
    let between = 0;
    const beat = setInterval(() => { between += 1; }, 1);
    const end = in_slices(busy(), (last) => {
        shown.push(last);
        if (ended && shown.length === 2) end();
    });
    await wait(1000);
    clearInterval(beat);
    return [shown, between];
}"""


def work(open_tab: Any, *, ended: bool) -> tuple[list[dict[str, Any]], int]:
    """What was shown of 20 steps of 4 ms each; how often the page did something else."""
    return open_tab("about:blank").evaluate(TRY, [module("softmax"), ended])


def test_long_work_lets_the_page_answer_in_between(open_tab) -> None:
    shown, between = work(open_tab, ended=False)
    assert [one["done"] for one in shown] == [False] * (len(shown) - 1) + [True]
    assert shown[-1]["value"] == "all of it"
    assert 6 <= len(shown) <= 21  # 80 ms, some 10 at a time
    assert between >= len(shown) - 1


def test_work_that_is_ended_is_not_heard_of_again(open_tab) -> None:
    assert [one["done"] for one in work(open_tab, ended=True)[0]] == [False, False]
