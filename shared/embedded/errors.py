"""What can go wrong while parts are started. Each message is one sentence for the person at the terminal."""


class EmbeddedError(Exception):
    """A part could not be started or kept running."""


class EmbeddedPartMissingError(EmbeddedError):
    """The binaries of a part are not installed."""


class PortInUseError(EmbeddedError):
    """A port that a part needs is held by another process.

    Parameters
    ----------
    port
        The port on the loopback interface.
    setting
        The name of the setting that chooses another one, or None where the caller chose the port itself.
    """

    def __init__(self, port: int, setting: str | None = None) -> None:
        remedy = f"set {setting} to a free one" if setting else "choose a free one"
        super().__init__(f"Port {port} on 127.0.0.1 is already in use: stop the process that holds it or {remedy}.")
        self.port = port
        self.setting = setting


class DiskFullError(EmbeddedError):
    """There is too little free space to start."""


class ChildFailedError(EmbeddedError):
    """A process did not become ready, or died too often.

    Parameters
    ----------
    name
        The part's name.
    what
        What happened, continuing a sentence that begins with the name.
    log_tail
        The last lines of the part's log, oldest first.
    """

    def __init__(self, name: str, what: str, log_tail: tuple[str, ...] = ()) -> None:
        said = f" Its last words: {' | '.join(log_tail)}" if log_tail else ""
        super().__init__(f"{name} {what}.{said}")
        self.name = name
        self.log_tail = log_tail
