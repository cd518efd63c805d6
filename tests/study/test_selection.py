from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from talkin.study.config import PAPER_VIEWS, DesignConfig
from talkin.study.selection import ClipSource, choose_clips

VIEWS, SPEAKERS = ("front", "left30"), ("a", "b", "c")


def source(system, speaker, view, number):
    name = f"{system}-{speaker}-{view}-{number}"
    return ClipSource(Path(name), system, speaker, view, name)


corpora = st.dictionaries(
    st.tuples(
        st.sampled_from(["talkin", "real", "other"]),
        st.sampled_from(SPEAKERS),
        st.sampled_from((*VIEWS, "profile")),
    ),
    st.integers(0, 4),
).map(lambda cells: [source(*cell, n) for cell, size in cells.items() for n in range(size)])


@settings(deadline=None, max_examples=80)
@given(clips=corpora, n_speakers=st.integers(1, 3), per_cell=st.integers(1, 3))
def test_no_cell_holds_more_than_the_design_wants(clips, n_speakers, per_cell):
    design = DesignConfig(views=VIEWS, n_speakers=n_speakers, clips_per_cell=per_cell)
    choice = choose_clips(clips, design)
    assert len(set(choice.clips)) == len(choice.clips)
    assert set(choice.clips) <= set(clips)
    assert choice.left_out == len(clips) - len(choice.clips)
    compared = [clip for clip in choice.clips if clip.system != "other"]
    cells = Counter((clip.system, clip.speaker, clip.view) for clip in compared)
    assert all(n <= per_cell for n in cells.values())
    assert len({clip.speaker for clip in compared}) <= n_speakers
    assert {clip.view for clip in compared} <= set(VIEWS)
    full = 2 * len(VIEWS) * n_speakers * per_cell
    assert (len(compared) == full) == (choice.missing == ())
    others = [clip for clip in clips if clip.system == "other"]
    assert [clip for clip in choice.clips if clip.system == "other"] == others


def test_the_papers_design_is_84_and_84():
    corpus = [
        source(system, f"s{speaker}", view, number)
        for system in ("talkin", "real")
        for speaker in range(5)
        for view in PAPER_VIEWS
        for number in range(4)
    ]
    choice = choose_clips(corpus, DesignConfig())
    assert Counter(clip.system for clip in choice.clips) == {"talkin": 84, "real": 84}
    assert choice.missing == ()


def test_what_is_missing_is_said_by_kind_and_view():
    choice = choose_clips([source("real", "a", "front", 0)], DesignConfig(views=VIEWS))
    assert choice.missing == (
        "generated: 0 of 24 clips; front none, left30 none",
        "real: 1 of 24 clips; front has 1 of 12, left30 none",
    )


def test_a_clip_more_in_one_cell_changes_no_other_cell():
    corpus = [source("real", "a", view, n) for view in VIEWS for n in range(6)]
    before = choose_clips(corpus, DesignConfig(views=VIEWS)).clips
    after = choose_clips(
        [*corpus, source("real", "a", "left30", 9)], DesignConfig(views=VIEWS)
    ).clips
    assert {c for c in before if c.view == "front"} == {c for c in after if c.view == "front"}
