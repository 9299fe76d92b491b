"""The provider file on disk."""

from collections.abc import Mapping
from pathlib import Path

from services.notifier.domain.provider_file import MAX_BYTES, ProviderFile, ProviderFileError, parse_providers


def read_providers(path: Path, environment: Mapping[str, str]) -> ProviderFile:
    """Raises ProviderFileError with every problem: a service does not start with providers it cannot read."""
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1).decode("utf-8")
    except OSError as error:
        raise ProviderFileError([f"{path}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ProviderFileError([f"{path}: is not UTF-8 (byte {error.start})"]) from error
    if len(text) > MAX_BYTES:
        raise ProviderFileError([f"{path}: is larger than {MAX_BYTES} bytes"])
    return parse_providers(text, environment, file=str(path))
