"""The page in a real browser: played, answered by keys and by touch, paused, killed, gone on."""

import json
import shutil

import pytest

from talkin.study.static_form import collect, write_static_form

from .conftest import wait_for

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
WAIT_MS = 90_000
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def browser():
    found = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if found is None:
        pytest.skip("no Chromium on PATH")
    with playwright.sync_playwright() as started:
        flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
        running = started.chromium.launch(executable_path=found, args=flags)
        yield running
        running.close()


@pytest.fixture
def opened(browser, served):
    """Opens a private link in a browser of its own, and notes what went wrong on the page."""
    contexts = []

    def open_link(token, **settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto(f"http://127.0.0.1:{served.port}/#{token}")
        page.wait_for_selector("#view-welcome:not([hidden])")
        return page

    yield open_link
    for context in contexts:
        context.close()


def watched(page):
    """Wait for the end of the clip, which opens the answers."""
    page.wait_for_selector(".stage.ended")


def saved(page):
    page.locator("#status", has_text="Saved").wait_for()


def test_a_whole_study_by_keyboard_alone(opened, served):
    token = served.store.add_raters(["ann"])[0]
    page = opened(token)
    page.focus("#start")
    page.keyboard.press("Enter")
    n_clips = len(served.store.manifest.clips)
    for done in range(n_clips):
        page.locator("#clip-title", has_text=f"Clip {done + 1} of").wait_for(state="attached")
        page.keyboard.press("4")  # too early: the clip has not been seen
        assert page.locator("input:checked").count() == 0
        watched(page)
        for key in "432":
            page.keyboard.press(key)
        saved(page)
        page.keyboard.press("Enter")
    page.wait_for_selector("#view-finished:not([hidden])")
    page.locator("#finished-state", has_text="All your answers are saved").wait_for()
    answers = served.store.answers(served.store.rater(token))
    expected = {"realism": 4, "lip_sync": 3, "naturalness": 2}
    assert [answer["scores"] for answer in answers.values()] == [expected] * n_clips
    assert page.problems == []


def test_a_phone_pauses_and_a_computer_goes_on(opened, served):
    token = served.store.add_raters(["ann"])[0]
    phone = opened(token, **PHONE)
    phone.tap("#start")
    watched(phone)
    for question in ("realism", "lip_sync", "naturalness"):
        phone.locator(f"input[name={question}][value='5']").check(force=True)
    saved(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    box = phone.locator(".scores label").first.bounding_box()
    assert min(box["width"], box["height"]) >= 44  # large enough for a thumb
    phone.tap("#pause")
    assert "1 of" in phone.inner_text("#pause-count")

    computer = opened(token)
    assert computer.inner_text("#start") == "Continue"
    computer.click("#start")
    assert computer.inner_text("#count").startswith("1 of")
    computer.click("#back")
    watched_before = computer.locator("input:checked")
    assert [watched_before.nth(n).get_attribute("value") for n in range(3)] == ["5", "5", "5"]


def test_answers_wait_while_the_server_is_away_and_arrive_once(opened, served):
    token = served.store.add_raters(["ann"])[0]
    page = opened(token)
    page.click("#start")
    watched(page)
    page.context.set_offline(True)
    for key in "111":
        page.keyboard.press(key)
    page.locator("#status", has_text="Saving").wait_for()
    assert served.store.counts()["ratings"] == 0
    page.context.set_offline(False)
    page.reload()  # the page itself is lost as well; its queue is not
    page.wait_for_selector("#view-welcome:not([hidden])")
    page.click("#start")
    assert page.inner_text("#count").startswith("1 of")
    wait_for(lambda: served.store.counts()["ratings"] == 3)


def test_a_clip_that_cannot_be_loaded_is_said_tried_again_or_passed_over(opened, served):
    token = served.store.add_raters(["ann"])[0]
    page = opened(token)
    page.context.route("**/clips/*", lambda route: route.abort())
    page.click("#start")
    page.locator("#status", has_text="could not be loaded").wait_for()
    page.context.unroute("**/clips/*")
    page.click("#play")
    watched(page)
    page.click("#broken")
    page.keyboard.press("Enter")
    page.locator("#clip-title", has_text="Clip 2 of").wait_for(state="attached")
    wait_for(lambda: served.store.counts()["unplayable"] == 1)


def test_a_wrong_link_shows_no_clip(browser, served):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{served.port}/#guess")
    page.locator("#closed-reason", has_text="not known").wait_for(timeout=WAIT_MS)
    assert page.locator("video#video").get_attribute("src") is None
    context.close()


def test_the_form_without_a_server_is_answered_downloaded_and_collected(
    browser, study, store, tmp_path
):
    write_static_form(study.folder, tmp_path / "form")
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto((tmp_path / "form" / "index.html").as_uri() + "#ann")
    page.click("#start")
    for number in range(len(study.manifest.clips)):
        watched(page)
        for key in "345":
            page.keyboard.press(key)
        page.keyboard.press("Enter")
        if number == 1:  # closed and opened again: the answers are still there
            page.reload()
            page.locator("#start", has_text="Continue").click()
    with page.expect_download() as downloading:
        page.click("#download")
    downloading.value.save_as(tmp_path / "answers.json")
    context.close()
    assert json.loads((tmp_path / "answers.json").read_text())["rater"] == "ann"
    done = collect([tmp_path / "answers.json"], store)
    assert (done.n_answers, done.refused) == (len(study.manifest.clips), ())
    assert {row["score"] for row in store.all_ratings()} == {3, 4, 5}
