"""Who is seen and heard in the files that a user asks to edit."""

from collections.abc import Mapping
from pathlib import Path

from pipelines.consent import SEPARATOR, is_read_aloud, people_of
from pipelines.editing import steps
from pipelines.editing.requests import CHOICES
from pipelines.rows import Table, rows_of


class FilmedPeople:
    """Knows the manifest's clips, by name and as files, and who speaks in them."""

    def __init__(self, footage: Table) -> None:
        """Take the footage table."""
        rows = rows_of(footage)
        self._speakers = {row["clip"]: row["speaker"] for row in rows}
        self._files = {Path(row["file"]).resolve(): row["clip"] for row in rows}
        self._readable = {row["clip"] for row in rows if not row["problem"]}

    def clip(self, name: str, file: str) -> str | None:
        """The readable clip that a request means, whether it gives its name or its file."""
        if name in self._readable:
            return name
        of_file = self._files.get(Path(file).resolve())
        return of_file if of_file in self._readable else None

    def in_file(self, name: str, said: str) -> str:
        """Everybody in a clip or a file, with `;` between; what is known goes before what is said.

        Args:
            name: A clip, or the path of a file. Of an edit list's pieces those count that are
                clips.
            said: Who is in it, as the request has it.
        """
        if name in self._speakers:
            return self._speakers[name]
        pieces = [self._files.get(path.resolve()) for path in steps.listed_files(name)]
        known = [self._speakers[clip] for clip in pieces if clip]
        return SEPARATOR.join(dict.fromkeys([*known, *people_of(said)]))


def asked_for(row: Mapping[str, str], people: FilmedPeople) -> dict[str, str]:
    """One job of the user's: clips by name, files by path.

    Args:
        row: A line of edit_requests.csv.
        people: Who is filmed.

    Raises:
        ConfigurationError: If a name is neither a clip nor a file.
        ConsentError: If nobody says who is seen or heard in a file that is no clip.
    """
    from talkin.errors import ConfigurationError, ConsentError

    named = ("job", "target", "audio", "target_speaker", "audio_speaker")
    job = {key: row[key] for key in named} | {key: row.get(key, "") for key in CHOICES}
    where = f"edit_requests.csv, job {job['job']}"
    for role, seen in (("target", "face"), ("audio", "voice")):
        name, file = job[role], row[f"{role}_file"]
        clip = people.clip(name, file)
        if clip is not None:
            job[role] = clip
            continue
        if not Path(file).is_file():
            raise ConfigurationError(
                f"{where}: {role} {name!r} is neither a clip of the manifest that can be read nor "
                "a file beside edit_requests.csv"
            )
        job[role] = file
        if not job[f"{role}_speaker"] and not (role == "audio" and is_read_aloud(job)):
            raise ConsentError(
                f"{where}: nobody says whose {seen} is in {name!r}, which is no clip of the "
                f"manifest; name them in the column {role}_speaker, as the consent register does"
            )
    return job
