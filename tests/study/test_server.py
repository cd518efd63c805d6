import http.client
import json
import socket
import threading
import time

import pytest

from talkin.study import patience
from talkin.study.protection import LARGEST_BODY, SECURITY_HEADERS

from .conftest import QUESTIONS, SECRET_WORDS


def test_nothing_is_shown_without_a_private_link(served, study):
    stranger = served.stranger()
    clip = study.manifest.clip_ids[0]
    for method, path, body in (
        ("GET", "/api/study", None),
        ("POST", "/api/start", {}),
        ("POST", "/api/answers", {"rater": "x", "clip": clip, "scores": {}, "sequence": 1}),
        ("GET", f"/clips/{clip}", None),
        ("POST", "/api/enter", {"token": "guess"}),
    ):
        assert stranger.ask(method, path, body)[0] == 403, path
    stranger.cookie = f"rater-{study.manifest.study[:8]}=guess"
    assert stranger.ask("GET", f"/clips/{clip}")[0] == 403


def test_every_answer_carries_the_security_headers(served, study):
    visitor = served.visitor()
    asked = [
        visitor.ask("GET", "/"),
        visitor.ask("GET", "/page/page.js"),
        visitor.ask("GET", "/api/study"),
        visitor.ask("GET", f"/clips/{study.manifest.clip_ids[0]}"),
        visitor.ask("GET", "/nowhere"),
        visitor.ask("POST", "/api/answers", b"not json"),
        visitor.ask("POST", "/api/answers", b"x" * 99999),
        visitor.ask("DELETE", "/api/study"),
    ]
    for status, headers, _ in asked:
        assert SECURITY_HEADERS.items() <= headers.items(), status
        assert "server" not in headers


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(served):
    token = served.store.add_raters(["ann"])[0]
    headers = served.stranger().ask("POST", "/api/enter", {"token": token})[1]
    words = headers["set-cookie"].lower()
    assert "httponly" in words
    assert "samesite=strict" in words


ESCAPES = (
    "../study.json", "..%2fstudy.json", "%2e%2e/study.json", "....//study.json", "/etc/passwd",
    "%2fetc%2fpasswd", "..%5cstudy.json", "%00", "{id}%00.mp4", "{id}.mp4", "{id}/", "{ID}",
    "' OR 1=1 --", "%27%20OR%201=1", "*", "key.json", "../../key.json", "ratings.db", "%ff%fe",
)  # fmt: skip


@pytest.mark.parametrize("name", ESCAPES)
def test_no_text_in_an_address_leads_to_another_file(served, study, name):
    clip = study.manifest.clip_ids[0]
    name = name.replace("{id}", clip).replace("{ID}", clip.upper()).replace(" ", "%20")
    visitor = served.visitor()
    for folder in ("/clips/", "/page/", "/"):
        status, _, body = visitor.ask("GET", folder + name)
        assert status in (307, 400, 403, 404, 405), (folder, status)
        assert b"key_sha256" not in body
        assert b"SQLite" not in body


@pytest.mark.parametrize(
    "token", ["' OR '1'='1", "x' UNION SELECT 1 --", "%", "\x00", "é", "x" * 128, "\ud800"]
)
def test_no_token_is_a_query(served, token):
    served.store.add_raters(["ann"])
    assert served.stranger().ask("POST", "/api/enter", {"token": token})[0] in (403, 422)


BAD_ANSWERS = {
    "score 0": {"scores": {"realism": 0}},
    "score 6": {"scores": {"realism": 6}},
    "score as text": {"scores": {"realism": "4"}},
    "half a score": {"scores": {"realism": 3.5}},
    "true for a score": {"scores": {"realism": True}},
    "unknown question": {"scores": {"beauty": 3}},
    "no score": {"scores": {}},
    "both at once": {"scores": {"realism": 3}, "is_unplayable": True},
    "negative sequence": {"sequence": -1},
    "huge sequence": {"sequence": 2**63},
    "another field": {"rater_id": 7},
    "unknown clip": {"clip": "0" * 16},
    "path for a clip": {"clip": "../../etc/passwd"},
    "clip as list": {"clip": ["a"]},
}


@pytest.mark.parametrize("change", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_an_answer_that_cannot_be_is_refused_and_not_repeated_back(served, change):
    visitor = served.visitor()
    good = {
        "rater": visitor.name,
        "clip": visitor.clips[0],
        "scores": {"realism": 3},
        "sequence": 1,
    }
    status, _, body = visitor.ask("POST", "/api/answers", good | change)
    assert status == 422
    assert b"passwd" not in body
    assert served.store.counts()["ratings"] == 0
    assert visitor.ask("POST", "/api/answers", good)[0] == 204


def test_large_slow_and_foreign_bodies_are_refused(served):
    visitor = served.visitor()
    assert visitor.ask("POST", "/api/answers", b"x" * (LARGEST_BODY + 1))[0] == 413
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert visitor.ask("POST", "/api/answers", b"a=1", form)[0] == 415
    assert visitor.ask("POST", "/api/answers", b"{}", {"content-type": "text/plain"})[0] == 415
    chunked = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    headers = {"content-type": "application/json", "cookie": visitor.cookie}
    pieces = (b"x" * 1024 for _ in range(64))
    try:
        chunked.request("POST", "/api/answers", pieces, headers, encode_chunked=True)
        assert chunked.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # closed on us before all was sent: refused as well
    assert visitor.ask("GET", "/healthz")[0] == 200
    deep = b"[" * 4000 + b"]" * 4000
    assert visitor.ask("POST", "/api/answers", deep)[0] in (400, 422)


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nx-slow: "])
def test_whoever_never_ends_a_request_is_shown_out(served, monkeypatch, sent):
    monkeypatch.setattr(patience, "LONGEST_SILENCE_S", 0.2)
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as silent:
        silent.sendall(sent)
        assert silent.recv(10) == b""  # closed
    talking = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    for _ in range(3):  # and whoever asks is not
        talking.request("GET", "/healthz")
        assert talking.getresponse().read() == b'{"status":"ok"}'
        time.sleep(0.1)
    talking.close()


def test_a_rater_sees_nothing_of_others(served):
    first, second = served.visitor(), served.visitor()
    assert first.answer(first.clips[0], 5, 1) == 204
    mine = json.loads(first.ask("GET", "/api/study")[2])
    theirs = json.loads(second.ask("GET", "/api/study")[2])
    assert mine["answers"][first.clips[0]]["scores"] == dict.fromkeys(QUESTIONS, 5)
    assert theirs["answers"] == {}
    assert mine["rater"] != theirs["rater"]


def test_an_answer_under_another_persons_cookie_is_refused(served):
    first, second = served.visitor(), served.visitor()
    second.name = first.name  # the page of the first, after the second opened their link
    assert second.answer(first.clips[0], 5, 1) == 409
    assert served.store.counts()["ratings"] == 0


def test_all_that_a_rater_can_ask_for_tells_no_clips_kind(served, study):
    visitor = served.visitor()
    shown = json.loads(visitor.ask("GET", "/api/study")[2])
    assert set(shown) == {
        "study", "page", "questions", "width", "height", "duration_s",
        "rater", "clips", "has_started", "answers",
    }  # fmt: skip
    assert sorted(shown["clips"]) == list(study.manifest.clip_ids)
    heads = []
    for clip in shown["clips"]:
        status, headers, body = visitor.ask("GET", f"/clips/{clip}")
        assert status == 200
        for word in SECRET_WORDS:
            assert word.encode() not in body
        heads.append(
            {k: v for k, v in headers.items() if k not in ("content-length", "etag", "date")}
        )
    assert all(head == heads[0] for head in heads)


def test_each_rater_has_an_order_of_their_own_that_stays(served):
    visitors = [served.visitor() for _ in range(6)]
    assert len({tuple(visitor.clips) for visitor in visitors}) > 1
    for visitor in visitors:
        assert json.loads(visitor.ask("GET", "/api/study")[2])["clips"] == visitor.clips


def test_players_may_ask_for_a_part_of_a_clip(served, study):
    visitor = served.visitor()
    path = f"/clips/{visitor.clips[0]}"
    whole = visitor.ask("GET", path)[2]
    status, headers, part = visitor.ask("GET", path, headers={"range": "bytes=100-199"})
    assert (status, part) == (206, whole[100:200])
    assert headers["content-range"] == f"bytes 100-199/{len(whole)}"
    assert visitor.ask("GET", path, headers={"range": "bytes=-5"})[2] == whole[-5:]
    assert visitor.ask("GET", path, headers={"range": f"bytes={len(whole)}-"})[0] == 416
    assert visitor.ask("HEAD", path)[1]["content-length"] == str(len(whole))


def rates_with_double_clicks(served, token, score, refused):
    try:
        visitor = served.stranger()
        visitor.enter(token)
        replies = [visitor.answer(clip, score, 1, QUESTIONS[:1]) for clip in visitor.clips[:2] * 2]
        refused += [reply for reply in replies if reply != 204]
    except (OSError, AssertionError, http.client.HTTPException) as error:
        refused.append(error)


def test_a_hundred_raters_at_once_lose_nothing_and_double_nothing(served):
    tokens = served.store.add_raters([f"r{n}" for n in range(100)])
    refused = []
    threads = [
        threading.Thread(
            target=rates_with_double_clicks, args=(served, token, 1 + number % 5, refused)
        )
        for number, token in enumerate(tokens)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []
    assert len(served.store.all_ratings()) == 200
    for number, token in enumerate(tokens):
        mine = served.store.answers(served.store.rater(token))
        assert [one["scores"] for one in mine.values()] == [{"realism": 1 + number % 5}] * 2
