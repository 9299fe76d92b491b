"""Templates of messages on disk."""

from pathlib import Path

from services.notifier.domain.templates import MAX_BYTES, TemplateError, Templates, read_templates


def load_templates(folder: Path | None) -> Templates:
    """Every `*.yaml` of the folder; none without one. Raises TemplateError with every problem."""
    if folder is None:
        return read_templates({})
    if not folder.is_dir():
        raise TemplateError([f"{folder}: is no folder"])
    texts: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.stat().st_size > MAX_BYTES:
            raise TemplateError([f"{path}: is larger than {MAX_BYTES} bytes"])
        try:
            texts[str(path)] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TemplateError([f"{path}: cannot be read: {error}"]) from error
    return read_templates(texts)
