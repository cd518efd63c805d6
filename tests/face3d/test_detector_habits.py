import numpy as np
import pytest

from talkin.face3d.detector_habits import DetectorHabits, brought_to, shipped_habits


@pytest.fixture
def shapes():
    random = np.random.default_rng(0)
    return random.normal(size=(30, 468, 2)) * 0.05 + random.normal(size=(468, 2)) * 60 + 200


def test_points_brought_to_a_reference_have_its_size_turn_and_place(shapes):
    reference = shapes[0] - shapes[0].mean(0)
    turn = 0.4
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = 3.0 * reference @ turned.T + [50, -20]
    level, found = brought_to(moved[None], reference)
    np.testing.assert_allclose(level[0], reference, atol=1e-9)
    np.testing.assert_allclose(found[0], 3.0 * np.exp(1j * turn))


def test_the_correction_turns_grows_and_moves_with_the_face(shapes):
    habits = shipped_habits()
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    plain = habits.corrected(shapes, "drawn", [slice(0, 30)])
    moved = habits.corrected(shapes @ turn.T * 2.0 + 31.0, "drawn", [slice(0, 30)])
    np.testing.assert_allclose(moved, plain @ turn.T * 2.0 + 31.0, atol=1e-6)


def test_filmed_lips_open_as_far_as_the_net_saw(shapes):
    habits = shipped_habits()
    level = brought_to(shapes, habits.reference)[0]
    corrected = habits.corrected(level, "people", [slice(0, 30)])
    _, turn = brought_to(level, habits.reference)
    way = (corrected - level)[:, habits.is_lip] @ [1, 1j] / turn[:, None]
    across = np.vander(habits.reference[habits.is_lip, 0], 3)
    left = way.T - across @ np.linalg.lstsq(across, way.T, rcond=None)[0]
    assert np.abs(left).max() < 1e-9, "what lips take depends on where across the mouth they are"
    assert np.abs(corrected - level)[:, ~habits.is_lip].max() > 0.01


def test_a_nod_that_was_read_too_small_is_restored():
    from talkin.avatar.habits import HabitsConfig, HabitSightings, learn_habits
    from talkin.face3d.loading import load_face_model

    model = load_face_model()
    random = np.random.default_rng(3)
    face = 50 * random.normal(size=(468, 2))
    depth, group = 3 * random.normal(size=468), np.repeat(np.arange(40), 8)
    nod = random.normal(size=320)[:, None] * [0.0, 1.0]
    detected = face + nod[:, None] * depth[:, None] * 0.66
    mouth = random.normal(size=(320, 1, 1)) * shipped_habits().is_lip[:, None] * 2
    true = face + nod[:, None] * depth[:, None] + mouth
    seen = HabitSightings(detected + mouth + 100, true + 100, group, np.ones(320, dtype=bool))
    habits = learn_habits(seen, HabitsConfig(n_turn_axes=3, n_pose_axes=4, n_motion_axes=3), model)
    one = np.flatnonzero(group == 5)
    fixed = habits.corrected(seen.detected[one], "people", [slice(0, 8)])
    off, before = (
        (of - seen.true[one] - (of - seen.true[one]).mean(0))[:, ~habits.is_lip]
        for of in (fixed, seen.detected[one])
    )
    assert np.abs(off).mean() < 0.3 * np.abs(before).mean()


def test_frames_without_a_face_stay_empty_and_shots_do_not_mix(shapes):
    habits = shipped_habits()
    shapes[4] = np.nan
    both = habits.corrected(shapes, "drawn", [slice(0, 10), slice(10, 30)])
    assert np.isnan(both[4]).all()
    alone = habits.corrected(shapes[10:], "drawn", [slice(0, 20)])
    np.testing.assert_allclose(both[10:], alone)


def test_frames_asked_for_by_themselves_are_those_of_the_whole(shapes):
    habits, shots = shipped_habits(), [slice(0, 12), slice(12, 30)]
    shapes[4] = np.nan
    whole = habits.corrected(shapes, "people", shots)
    asked = np.array([29, 4, 11, 12])
    undone = habits.undone_for_people(shapes, shots)
    # Not to the last bit: with threads a matrix product's order follows the number of its rows.
    np.testing.assert_allclose(undone[asked], whole[asked], rtol=1e-12)
    np.testing.assert_allclose(whole[12:], habits.corrected(shapes[12:], "people", [slice(0, 18)]))


def test_points_of_no_face_are_not_driven_off(shapes):
    wild = np.random.default_rng(1).uniform(0, 500, (3, 468, 2))
    corrected = shipped_habits().corrected(wild, "people", [slice(0, 3)])
    assert np.abs(corrected - wild).max() < 200


def test_habits_survive_a_file(tmp_path, monkeypatch):
    from talkin.face3d import detector_habits

    monkeypatch.setattr(detector_habits, "HABITS_FILE", tmp_path / "habits.safetensors")
    known = shipped_habits()
    # Transposed on purpose: arrays must come back as they were, however they lay in memory.
    arrays = {name: np.asfortranarray(value) for name, value in known.__dict__.items()}
    DetectorHabits(**arrays).save(tmp_path / "habits.safetensors")
    shipped_habits.cache_clear()
    again = shipped_habits()
    shipped_habits.cache_clear()
    for name, value in known.__dict__.items():
        np.testing.assert_allclose(getattr(again, name), value, rtol=1e-3)


def test_planted_habits_are_learned():
    from talkin.avatar.habits import HabitsConfig, HabitSightings, learn_habits
    from talkin.face3d.loading import load_face_model

    random = np.random.default_rng(2)
    face, bend, lift = (random.normal(size=(468, 2)) for _ in range(3))
    group = np.repeat(np.arange(40), 8)
    turn, motion = random.normal(size=40)[group], random.normal(size=320)
    kept = motion - np.repeat(motion.reshape(40, 8).mean(1), 8)
    detected = 50 * face + 4 * turn[:, None, None] * bend + 2 * kept[:, None, None] * lift
    detected += random.normal(size=detected.shape) * 0.05
    true = detected + 2 * turn[:, None, None] * bend + 1 * kept[:, None, None] * lift
    seen = HabitSightings(detected + 100, true + 100, group, np.ones(320, dtype=bool))
    habits = learn_habits(
        seen, HabitsConfig(n_turn_axes=3, n_pose_axes=4, n_motion_axes=3), load_face_model()
    )
    one = np.flatnonzero(group == 5)
    fixed = habits.corrected(seen.detected[one], "drawn", [slice(0, 8)])
    left = np.abs(fixed - seen.true[one]).mean() / np.abs(seen.detected - seen.true)[one].mean()
    assert left < 0.35
