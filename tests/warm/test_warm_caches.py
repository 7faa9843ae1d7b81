"""Known caches are put back."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("imports", "use", "seen"),
    [
        ("re", "re.compile('abc')", "len(re._cache)"),
        ("linecache", "linecache.getline(linecache.__file__, 1)", "len(linecache.cache)"),
        ("encodings", "'x'.encode('latin9')", "len(encodings._cache)"),
        ("mimetypes", "mimetypes.guess_type('x.png')", "mimetypes.inited"),
        ("tempfile", "tempfile.gettempdir()", "tempfile.tempdir"),
        ("warnings", "warnings.simplefilter('error')", "warnings.filters[0]"),
        ("sys", "sys.path.append('x')", "sys.path"),
        ("sys", "sys.stdout = sys.left = 1", "hasattr(sys, 'left') or sys.stdout"),
        ("fnmatch", "fnmatch.fnmatch('a', '*b')", "fnmatch._compile_pattern.cache_info()"),
        ("re", "re.I | re.S | re.X", "len(re.RegexFlag._value2member_map_)"),
        ("logging", "logging.getLogger('left')", "list(logging.root.manager.loggerDict)"),
    ],
)
def test_what_a_use_has_left_is_put_back(imports: str, use: str, seen: str) -> None:
    code = f"""
import {imports}
from cgikit.warm.caches import Caches
caches = Caches()
before = repr({seen})
{use}
between = repr({seen})
caches.restore()
print(before == repr({seen}), before != between)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "True True\n", (done.stdout, done.stderr)
