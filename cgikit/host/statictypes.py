"""The media types of files that belong to a page, by extension (IANA's registry; RFC 9239 for scripts).

A table, and the names that are never sent whatever their type. Opens no files.
"""

import os

_TEXT = "; charset=utf-8"
TYPES = {
    ".aac": "audio/aac",
    ".apng": "image/apng",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".css": "text/css" + _TEXT,
    ".eot": "application/vnd.ms-fontobject",
    ".flac": "audio/flac",
    ".gif": "image/gif",
    ".htm": "text/html",
    ".html": "text/html",  # its own <meta charset> counts
    ".ico": "image/vnd.microsoft.icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript" + _TEXT,
    ".m4a": "audio/mp4",
    ".map": "application/json",
    ".mjs": "text/javascript" + _TEXT,
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".otf": "font/otf",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain" + _TEXT,
    ".vtt": "text/vtt" + _TEXT,
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}
#: Directories whose files are never sent: those in which scripts keep data.
PRIVATE = frozenset({"data", "__pycache__", "node_modules"})


#: Data that scripts keep beside them; other files may be scripts that are not executable yet.
_DATA = frozenset(
    {
        *(".csv", ".ini", ".json", ".jsonl", ".log", ".md", ".toml", ".xml", ".yaml", ".yml"),
        *(".bak", ".db", ".gz", ".lock", ".pyc", ".sqlite", ".sqlite3", ".zip"),
    }
)


def is_data(names: list[str]) -> bool:
    """Whether the file at these names is data, neither run nor sent."""
    extension = os.path.splitext(names[-1])[1].lower()
    return extension in _DATA or (extension in TYPES and not is_static(names))


def is_static(names: list[str]) -> bool:
    """Whether the file at these names below the root belongs to a page, as its name says."""
    if any(name.startswith(".") or name.lower() in PRIVATE for name in names):
        return False
    return os.path.splitext(names[-1])[1].lower() in TYPES
