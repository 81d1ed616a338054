"""The page as a reader uses it: looking, searching, opening, copying, printing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def titles(page: Any) -> list[str]:
    return page.locator("#list .said").all_inner_texts()


def kinds(page: Any) -> list[str]:
    return page.locator("#list .kind").all_inner_texts()


def settle(page: Any) -> None:
    """Waits as long as filters wait for a pause in the typing, by the clock of the page."""
    page.evaluate("new Promise(done => setTimeout(() => requestAnimationFrame(done), 100))")


def unfold(page: Any, title: str) -> None:
    page.click(f"summary:has-text('{title}')")
    page.wait_for_selector(".finding[open] .sides")


class TestLooking:
    def test_search_looks_at_texts_and_names(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds).page
        assert len(titles(page)) == 7
        page.fill("#search", "anurag NASA")
        settle(page)
        assert titles(page) == []
        page.fill("#search", "NASA partners")
        settle(page)
        assert [title[:21] for title in titles(page)] == ["a joint venture of NA"]
        assert page.inner_text("#count") == "1 of 7 findings"
        page.click("#list summary")
        page.wait_for_selector(".finding[open] .sides")
        painted = "[...CSS.highlights.get('found')].map(r => r.startContainer.data.slice(r.startOffset, r.endOffset))"
        assert set(page.evaluate(painted)) == {"NASA", "partners"}
        page.fill("#search", "08_eclipse")
        settle(page)
        assert len(titles(page)) == 1

    def test_filters(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds).page
        page.select_option("#kind", "contained")
        settle(page)
        assert kinds(page) == ["contained"]
        page.click("text=Reset")
        settle(page)
        assert len(kinds(page)) == 7
        page.select_option("#alike", label="below 85%")
        settle(page)
        assert page.locator("#list .facts").all_inner_texts() == ["19 words · 2 places · 84.2% alike"]
        page.click("text=Reset")
        page.fill("#words", "60")
        settle(page)
        assert len(titles(page)) == 3
        page.fill("#words", "")
        page.fill("#copies", "3")
        settle(page)
        assert [title[:28] for title in titles(page)] == ["This article is meant for ge"]
        page.fill("#copies", "")
        page.fill("#words", "60")
        page.fill("#document", "chip_plants")
        settle(page)
        assert len(titles(page)) == 1

    def test_order(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds).page
        page.select_option("#order", "least")
        settle(page)
        assert titles(page)[0].startswith("Vingt ans")
        page.select_option("#order", "copies")
        settle(page)
        assert titles(page)[0].startswith("This article is meant")

    def test_a_document_leads_to_its_findings(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds).page
        page.click("#strips button:has-text('27.6% in 2 findings')")
        assert len(titles(page)) == 2
        assert page.input_value("#document") == "seeds/05_chip_plants.txt"

    def test_the_map_leads_to_the_finding(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds).page
        page.locator("#strips li").nth(2).locator("a").first.click()
        page.wait_for_selector(".finding[open]")
        assert "seeds/05_chip_plants.txt" in page.inner_text(".finding[open] .places")

    def test_more_documents(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds).page
        assert page.locator("#strips li").count() == 8
        assert page.inner_text("#strips-left") == "and 2 more documents"
        page.click("text=Show more documents")
        assert page.locator("#strips li").count() == 10
        assert not page.locator("#strips-left").is_visible()
        page.fill("#find", "WEBB_two")
        assert page.locator("#strips .name").all_inner_texts() == ["seeds/04_webb_two_years.txt"]
        assert page.inner_text("#said") == "1 document"


class TestFinding:
    def test_the_words_that_differ_are_marked_in_both_places(
        self, opened: Callable[..., Any], seeds: Path
    ) -> None:
        page = opened(seeds).page
        unfold(page, "a joint venture of NASA")
        finding = page.locator(".finding[open]")
        sides = finding.locator(".side")
        assert sides.nth(0).locator("del").all_inner_texts() == ["venture", "flew nearly", "working"]
        assert sides.nth(1).locator("ins").all_inner_texts() == ["project", "travelled about", "observing"]
        assert sides.nth(0).locator("ins").count() == sides.nth(1).locator("del").count() == 0
        for name in ("del", "ins"):
            mark = f"getComputedStyle(document.querySelector('.side {name}')).textDecorationLine"
            assert page.evaluate(mark) == "underline"  # a mark that is no colour

    def test_what_stands_round_a_passage(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds).page
        unfold(page, "a joint venture of NASA")
        side = page.locator(".finding[open] .side").first
        text = (Path(__file__).parents[2] / "seeds/04_webb_two_years.txt").read_text("utf-8")
        start = text.index("a joint venture of NASA")
        before, after = side.locator(".round").all_inner_texts()
        assert " ".join(text[:start].split()).endswith(before.split("¶")[-1].strip("… "))
        assert after.split("¶")[0].strip("… ") in " ".join(text[start:].split())
        assert len(before) > 40 < len(after)

    def test_another_place_beside_the_first(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds).page
        unfold(page, "This article is meant")
        heading = page.locator(".finding[open] .side h3").nth(1)
        first = heading.inner_text()
        page.locator(".finding[open] input[type=radio]").nth(1).check()
        assert heading.inner_text() != first

    def test_places_are_links(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds).page
        unfold(page, "a joint venture of NASA")
        link = page.locator(".finding[open] .places a").first
        assert link.get_attribute("href") == (
            "./seeds/04_webb_two_years.txt#:~:text=a%20joint%20venture%20of%20NASA%20and%20its%20European%20and%20Canadian"
        )
        assert link.inner_text() == "seeds/04_webb_two_years.txt:7"

    def test_a_place_is_copied(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds, permissions=["clipboard-read", "clipboard-write"]).page
        unfold(page, "a joint venture of NASA")
        page.locator(".finding[open] .copy").first.click()
        page.wait_for_selector(".finding[open] .copy:has-text('Copied')")
        assert page.evaluate("navigator.clipboard.readText()") == "seeds/04_webb_two_years.txt:7"
        assert page.inner_text("#said") == "Copied seeds/04_webb_two_years.txt:7"

    def test_a_link_to_a_finding(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds).page
        unfold(page, "Vingt ans")
        fragment = page.evaluate("location.hash")
        again = opened(seeds, fragment).page
        assert "Vingt ans" in again.inner_text(".finding[open] > summary")
        again.wait_for_selector(".finding[open] > summary:focus")

    def test_a_link_to_a_finding_that_is_filtered_out(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds).page
        anchor = page.locator(".finding").last.get_attribute("id")
        page.fill("#search", "NASA")
        settle(page)
        page.evaluate("anchor => { location.hash = anchor }", anchor)
        page.wait_for_selector(".finding[open]")
        assert page.locator(".finding[open]").get_attribute("id") == anchor
        assert page.input_value("#search") == ""

    def test_all_at_once(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds).page
        page.click("#open")
        assert page.locator(".finding[open] .sides").count() == 7


class TestKeys:
    def test_from_one_to_the_next(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds).page

        def here() -> int:
            found: int = page.evaluate(
                "[...document.querySelectorAll('.finding')].indexOf(document.activeElement.parentElement)"
            )
            return found

        page.keyboard.press("j")
        assert here() == 0
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        assert here() == 1
        page.keyboard.press("Enter")
        assert page.locator(".finding").nth(1).get_attribute("open") is not None
        page.wait_for_selector(".finding[open] .sides")
        page.keyboard.press("Tab")
        page.keyboard.press("Escape")
        assert here() == 1
        assert page.locator(".finding[open]").count() == 0

    def test_search_and_help(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds).page
        page.keyboard.press("/")
        page.keyboard.type("jk?/")
        assert page.input_value("#search") == "jk?/"
        settle(page)
        assert page.locator(".finding").count() == 0
        page.keyboard.press("Escape")
        assert page.locator(".finding").count() == 7
        page.keyboard.press("?")
        assert page.locator("#help").is_visible()
        page.keyboard.press("Escape")
        assert not page.locator("#help").is_visible()


class TestLook:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_it_follows_the_system_until_told(
        self, opened: Callable[..., Any], seeds: Path, scheme: str
    ) -> None:
        page = opened(seeds, color_scheme=scheme).page
        ground = "getComputedStyle(document.body).backgroundColor"
        first = page.evaluate(ground)
        assert (sum(map(int, first[4:-1].split(","))) < 300) is (scheme == "dark")
        page.click("#theme")
        second = page.evaluate(ground)
        assert (sum(map(int, second[4:-1].split(","))) < 300) is (scheme == "light")
        page.reload()
        assert page.evaluate(ground) == second

    def test_print(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds, color_scheme="dark").page
        unfold(page, "a joint venture of NASA")
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not page.locator(".filters").is_visible()
        assert page.locator(".finding[open] .sides").is_visible()
        assert page.pdf(format="A4").startswith(b"%PDF")

    def test_a_phone_never_scrolls_sideways(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds, **PHONE).page
        page.click("#open")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

    def test_without_javascript(self, opened: Callable[..., Any], seeds: Path) -> None:
        page = opened(seeds, java_script_enabled=False).page
        assert not page.locator(".filters").is_visible()
        assert page.locator("#list > .finding").count() == 7
        unfold(page, "a joint venture of NASA")
        finding = page.locator(".finding[open]")
        assert finding.locator("del").all_inner_texts() == ["venture", "flew nearly", "working"]
        assert finding.locator("ins").all_inner_texts() == ["project", "travelled about", "observing"]
        assert finding.locator(".round").first.inner_text()
        assert page.locator("#strips svg").count() == 8

    def test_the_script_says_what_the_page_says_without_it(
        self, opened: Callable[..., Any], seeds: Path
    ) -> None:
        with_script = opened(seeds).page
        without = opened(seeds, java_script_enabled=False).page
        for selector in ("#list > details > summary", "#strips .name", "#strips .facts"):
            assert (
                with_script.locator(selector).all_inner_texts() == without.locator(selector).all_inner_texts()
            )
