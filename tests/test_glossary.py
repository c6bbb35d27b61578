"""Every entry of the glossary has its Korean term with where it is from, a sentence, and a link."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "book/glossary.md").read_text("utf-8")
BODY = PAGE.split("```{glossary}\n")[1].removesuffix("```\n")
ENTRIES = [entry.splitlines() for entry in BODY.strip().split("\n\n")]
DEFINITION = re.compile(
    r'  <span lang="ko">[가-힣 -]+</span>(?: \((?:N[0-4](?:, )?)+\)|\\\*)\. '
    r".+[.)] → (?:\[.*\]\(.+\)|\{ref\}`claim-[\w-]+`)"
)


def test_every_entry_has_its_korean_term_a_sentence_and_a_link() -> None:
    assert len(ENTRIES) > 100
    for *terms, definition in ENTRIES:
        assert terms, definition
        assert DEFINITION.fullmatch(definition), definition


def test_terms_are_in_order_and_stand_there_once() -> None:
    first = [terms[0].lower() for terms in ENTRIES]
    assert first == sorted(first)
    everything = [term.lower() for *terms, _ in ENTRIES for term in terms]
    assert len(set(everything)) == len(everything)
