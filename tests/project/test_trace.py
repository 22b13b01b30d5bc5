"""The trace of a purchase in the documentation is that of a purchase."""

from scripts import trace


def test_the_page_shows_what_a_purchase_with_a_lost_reply_says_of_itself() -> None:
    page = trace.PAGE.read_text(encoding="utf-8")
    assert trace.written(page) == page, "Run: make trace"
    assert "127.0.0.1" not in page
