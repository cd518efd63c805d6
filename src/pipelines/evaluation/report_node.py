"""The node that writes the report, and what it says of where everything came from."""

import subprocess
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.lazy import configured
from pipelines.rows import Table, rows_of

if TYPE_CHECKING:
    from talkin.evaluation.clip_scores import ClipScores
    from talkin.evaluation.report import ReportConfig
    from talkin.evaluation.tsne import IdentityMap
    from talkin.networks.talking_face import TalkingFace
else:
    ReportConfig = configured("talkin.evaluation.report:ReportConfig")
    ClipScores = IdentityMap = TalkingFace = Any


def write_report(  # noqa: PLR0913, PLR0917 - each input is a name in the graph
    summary: Table,
    scores: Sequence[ClipScores],
    frames: Table,
    crossings: Table,
    crossed_pictures: Table,
    conditions: dict[str, str],
    leak_check: dict[str, Any],
    curves: Table,
    voices: IdentityMap,
    audio: Mapping[str, Any],
    edits_table: Table,
    side_by_side: Mapping[str, Any],
    rejects: Table,
    footage: Table,
    model: TalkingFace,
    registered_model: dict[str, Any],
    config: ReportConfig,
) -> str:
    """One page: figures beside the paper's, curves, edited clips to play, worst frames, rejects."""
    from talkin.evaluation.report import ReportClip, ReportContent, render_report

    done = [row for row in rows_of(edits_table) if row["job"] in side_by_side]
    clips = [
        ReportClip(
            title=f"{row['target']} says {Path(row['audio']).stem}",
            videos={"side by side": side_by_side[row["job"]].path},
            caption=str(row["notes"]),
        )
        for row in done
    ]
    content = ReportContent(
        summary=summary,
        scores=scores,
        frames=frames,
        crossings=crossings,
        crossed_pictures=crossed_pictures,
        unseen_speakers=frozenset(leak_check["unseen_speakers"]),
        conditions=conditions,
        training_curves=curves,
        clips=clips,
        voices=voices,
        sounds={score.clip: audio[score.clip] for score in scores},
        rejects=rejects,
        provenance=_code() | _data(footage, leak_check) | _model(model, registered_model),
    )
    return render_report(content, config)


def _code() -> dict[str, str]:
    from importlib.metadata import version

    packages = ", ".join(f"{name} {version(name)}" for name in ("talkin", "torch", "kedro"))
    return {
        "code": _git("describe", "--always", "--dirty") or "not under git",
        "packages": packages,
    }


def _git(*words: str) -> str:
    try:
        answer = subprocess.run(
            ["git", *words], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()


def _data(footage: Table, leak_check: dict[str, Any]) -> dict[str, str]:
    """The footage by one digest, and what was made sure of its splits."""
    digest = sha256("".join(sorted(map(str, footage["sha256"]))).encode()).hexdigest()
    unseen = ", ".join(leak_check["unseen_speakers"]) or "none"
    return {
        "data": f"{len(footage)} clips, SHA-256 of their SHA-256 {digest[:16]}",
        "held out": f"{leak_check['n_test_clips']} {leak_check['split']} clips share no sentence "
        f"and no file with the other {leak_check['n_other_clips']} (clips without a written "
        f"sentence: {leak_check['n_test_clips_without_sentence']}); unseen speakers: {unseen}",
    }


def _model(model: TalkingFace, registered_model: dict[str, Any]) -> dict[str, str]:
    number = registered_model["version"]
    name = f"{registered_model['name']} version {number}" if number else "not registered"
    if registered_model["is_champion"]:
        name += " (champion when registered)"
    digest = sha256()
    for tensor in model.state_dict().values():
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return {"model": f"{name}, SHA-256 of its weights {digest.hexdigest()[:16]}"}
