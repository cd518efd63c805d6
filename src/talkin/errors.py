"""The errors a user meets: each says which file or key, what is wrong, and the way out."""


class TalkinError(Exception):
    """Anything that the user can mend; the message is meant for them, without a traceback."""


class FootageError(TalkinError):
    """A video or audio file that cannot be read, written or used as asked."""


class NoFaceError(FootageError):
    """Footage in which no face, or not the wanted one, could be found."""


class FaceModelError(TalkinError):
    """A morphable model or landmark net that is missing, damaged or of another layout."""


class ConfigurationError(TalkinError):
    """A setting outside what is allowed; the message names its key."""


class ConsentError(TalkinError):
    """A speaker without a valid consent record.

    Attributes:
        speakers: Who was refused, so that what was derived from them can be listed.
    """

    def __init__(self, message: str, speakers: tuple[str, ...] = ()) -> None:
        """Take the message and who it is about."""
        super().__init__(message)
        self.speakers = speakers
