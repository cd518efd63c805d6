import numpy as np
import pytest

from talkin.errors import ConfigurationError, FootageError
from talkin.footage.audio import read_audio
from talkin.footage.video import iter_frames, probe_video
from talkin.study.config import DesignConfig, EncodingConfig
from talkin.study.encoding import Box, common_box, encode_alike
from talkin.study.export import export_study, read_sources
from talkin.study.records import CHECK, read_key
from talkin.study.selection import ClipSource

from .conftest import SECRET_WORDS, write_clip

BARE = DesignConfig(n_attention_checks=0)


def container_of(path):
    import av

    with av.open(str(path)) as media:
        picture, sound = media.streams.video[0], media.streams.audio[0]
        return (
            picture.codec_context.name, picture.width, picture.height, picture.average_rate,
            picture.profile, sound.codec_context.name, sound.rate, sound.layout.name,
            tuple(sorted(media.metadata.items())), tuple(sorted(picture.metadata.items())),
        )  # fmt: skip


def test_nothing_in_the_served_folder_tells_what_a_clip_is(study):
    for path in study.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            served = content if path.suffix == ".mp4" else content.split(b'"clips"')[-1]
            for word in SECRET_WORDS:
                assert word.encode() not in served, (path, word)


def test_all_clips_are_alike_but_for_their_pictures_and_sound(study):
    paths = sorted((study.folder / "clips").iterdir())
    assert len(paths) == 6
    assert len({container_of(path) for path in paths}) == 1
    assert len({path.stat().st_mtime for path in paths}) == 1
    assert len({path.stat().st_mode for path in paths}) == 1


def test_recordings_go_through_the_edits_writer_as_often_as_edits(sources, tmp_path, monkeypatch):
    passed = []
    monkeypatch.setattr(
        "talkin.study.export.pass_through_writer",
        lambda source, goal: passed.append(source) or write_clip(goal),
    )
    export_study(sources, tmp_path / "s", tmp_path / "k.json", design=BARE)
    assert sorted(passed) == sorted(one.path for one in sources if one.system == "real")


def test_names_are_drawn_anew_at_each_export(study, sources, tmp_path):
    again = export_study(sources[:2], tmp_path / "s", tmp_path / "k.json", design=BARE)
    assert not set(again.manifest.clip_ids) & set(study.manifest.clip_ids)
    assert len(again.manifest.clips) == 2


def test_a_check_begins_like_a_clip_and_ends_with_a_card(study):
    key = read_key(study.key_path, study.manifest)
    checks = [entry for entry in key.entries if entry.system == CHECK]
    assert sorted(entry.expected for entry in checks) == [1, 2]
    frames = [f.image for f in iter_frames(study.folder / "clips" / f"{checks[0].id}.mp4")]
    assert frames[0].mean() < 140
    card = frames[-1].astype(float)
    assert np.median(card) > 220
    assert card.min() < 90  # something is written on it


def test_a_study_that_stands_there_is_never_replaced(study, sources, tmp_path):
    before = sorted(path.name for path in study.folder.rglob("*"))
    with pytest.raises(ConfigurationError, match="stands there already"):
        export_study(sources, study.folder, tmp_path / "k.json")
    with pytest.raises(ConfigurationError, match="stands there already"):
        export_study(sources, tmp_path / "s", study.key_path)
    with pytest.raises(ConfigurationError, match="served folder"):
        export_study(sources, tmp_path / "s", tmp_path / "s" / "key.json")
    assert sorted(path.name for path in study.folder.rglob("*")) == before
    assert list(tmp_path.iterdir()) == []


def test_a_clip_that_cannot_be_read_leaves_nothing_behind(sources, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_text("no video")
    bad = [*sources, ClipSource(broken, "real", "annette", "front", "broken")]
    with pytest.raises(FootageError, match=r"broken\.mp4"):
        export_study(bad, tmp_path / "s", tmp_path / "k.json", design=BARE)
    assert list(tmp_path.iterdir()) == [broken]


def test_clips_of_other_shapes_share_one_box_and_keep_their_proportions(tmp_path):
    tall = write_clip(tmp_path / "tall.mp4", 32, 64, 4)
    wide = write_clip(tmp_path / "wide.mp4", 200, 100, 4)
    box = common_box([tall, wide], EncodingConfig(largest_side_px=100))
    assert box == Box(100, 64)
    encode_alike(tall, tmp_path / "out.mp4", box, EncodingConfig())
    info = probe_video(tmp_path / "out.mp4")
    assert (info.width, info.height) == (100, 64)
    image = next(iter_frames(tmp_path / "out.mp4")).image
    assert abs(int(image[32, 5, 0]) - 128) < 12  # grey beside the picture


def test_clips_are_equally_loud_and_cut_where_it_is_said(tmp_path):
    clip = write_clip(tmp_path / "c.mp4", frames=30)
    config = EncodingConfig(longest_s=0.6, loudness_dbfs=-20, sample_rate=16000)
    encode_alike(clip, tmp_path / "out.mp4", Box(96, 64), config)
    assert probe_video(tmp_path / "out.mp4").n_frames == 15
    samples = read_audio(tmp_path / "out.mp4").samples
    assert 20 * np.log10(np.sqrt(np.mean(samples**2))) == pytest.approx(-20, abs=0.7)


def test_a_list_of_clips_is_checked_line_by_line(tmp_path):
    write_clip(tmp_path / "a.mp4", frames=2)
    good = "path,system,speaker,view\na.mp4,real,ann,front\n"
    (tmp_path / "l.csv").write_text(good)
    assert read_sources(tmp_path / "l.csv")[0].name == "a"
    for bad, words in (
        (good.replace("view", "side"), "column 'view'"),
        (good.replace("a.mp4", "b.mp4"), "line 2"),
        (good.replace("real", CHECK), "column system"),
    ):
        (tmp_path / "l.csv").write_text(bad)
        with pytest.raises(ConfigurationError, match=words):
            read_sources(tmp_path / "l.csv")
