"""What the library of a bundle begins with on the host: text that goes before and after the source of
`cgikit/__init__.py`. Every Python can compile it, to say which one is needed.

cgikit's modules are in one file, `library.bin`: compiled ones, each compressed by zlib, and the sources
of all. Those that each request needs are compiled into the one file that Python loads first, each as
the code of its own module: so they stay the modules that they are, and nothing is searched for on the
way. If another version of Python runs the script, each request compiles them from their sources: slow,
but it works.
"""

BEFORE = '''"""cgikit, as `cgikit bundle` carries it: the modules are in ../library.bin."""
import sys
if sys.version_info < (3, 11):
    import os
    if os.environ.get("REQUEST_METHOD"):
        sys.stdout.write(
            "Status: 500 Internal Server Error\\nContent-Type: text/plain; charset=utf-8\\n\\n"
            "This script needs Python 3.11 or later, but its first line names %s, which is Python "
            "%d.%d.\\nTo the owner of this site: bundle the script again, with cgikit bundle "
            "--interpreter and the path of a newer Python of this server.\\n"
            % ((sys.executable,) + tuple(sys.version_info[:2]))
        )
        sys.stdout.flush()
        sys.exit(1)
'''

AFTER = '''

def _begin(compiled):
    import marshal
    import posix
    import sys
    from _imp import _fix_co_filename

    modules = sys.modules
    package = modules["cgikit"]
    module_type, spec_type = type(package), type(package.__spec__)
    root = package.__path__[0].rpartition("/")[0]
    parts = dict([(row[0], row[1:]) for row in _LIBRARY])
    chain = [name for name, _, at_once, _, _ in _LIBRARY if at_once]
    sources = {}

    def place(name):
        return "%s/%s%s.py" % (root, name.replace(".", "/"), "/__init__" if parts[name][0] else "")

    def read(start, size):
        import zlib
        with open(root + "/library.bin", "rb") as library:
            library.seek(start)
            return zlib.decompress(library.read(size))

    class Loader(object):
        archive = root + "/library.bin"
        create_module = staticmethod(lambda spec: None)
        is_package = staticmethod(lambda name: parts[name][0])
        get_filename = staticmethod(place)

        @staticmethod
        def get_source(name):
            if not sources:
                words = read(*_SOURCES).decode("utf-8").split("\\0")
                sources.update(zip(words[::2], words[1::2]))
            return sources[name]

        @staticmethod
        def get_code(name):
            start, size = parts[name][2:]
            code = compiled.get(name)
            if isinstance(code, bytes):
                code = marshal.loads(code)
            elif code is None and compiled and size:
                code = marshal.loads(read(start, size))
            elif code is None:
                code = compile(Loader.get_source(name), place(name), "exec", 0, True)
            _fix_co_filename(code, place(name))
            return code

        @staticmethod
        def exec_module(module):
            name = module.__name__
            module.__file__ = place(name)
            exec(Loader.get_code(name), module.__dict__)

    class Finder(object):
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name not in parts:
                return None
            if name[:6] != "cgikit" and root in sys.path:
                # A module of the script's own with the name of a dependency comes first
                finder = modules["_frozen_importlib_external"].PathFinder
                own = finder.find_spec(name, sys.path[:sys.path.index(root)])
                if own is not None and own.loader is not None:
                    return own
            spec = spec_type(name, Loader, origin=place(name), is_package=parts[name][0])
            if parts[name][0]:
                spec.submodule_search_locations.append(place(name)[:-12])
            return spec

    def load(wanted):
        """Load the modules that each request needs, up to one, without the import system."""
        for name in chain[:chain.index(wanted) + 1] if wanted in chain else ():
            if name in modules:
                continue
            module = modules[name] = module_type(name)
            module.__package__ = "cgikit"
            module.__loader__ = Loader
            module.__spec__ = spec_type(name, Loader, origin=place(name))
            try:
                Loader.exec_module(module)
            except BaseException:
                del modules[name]
                raise
            setattr(package, name[7:], module)

    def real():
        import os
        return os

    class Path(object):
        """What the start of a request needs of `os.path`, without it."""

        @staticmethod
        def join(path, *names):
            if "os" in modules or len(names) != 1 or type(path) is not str:
                return real().path.join(path, *names)
            if names[0][:1] == "/":
                return names[0]
            return path + ("" if not path or path[-1] == "/" else "/") + names[0]

        @staticmethod
        def samefile(first, second):
            if "os" in modules:
                return real().path.samefile(first, second)
            return posix.stat(first)[1:3] == posix.stat(second)[1:3]

        def __getattr__(self, name):
            return getattr(real().path, name)

    class Environ(object):
        """`os.environ`, which it becomes as soon as anything but one variable is asked for."""

        def get(self, name, default=None):
            if "os" in modules or type(name) is not str:
                return real().environ.get(name, default)
            encoding = sys.getfilesystemencoding()
            value = posix.environ.get(name.encode(encoding, "surrogateescape"))
            return default if value is None else value.decode(encoding, "surrogateescape")

        def __getitem__(self, name):
            value = self.get(name)
            return real().environ[name] if value is None else value

        def __contains__(self, name):
            return self.get(name) is not None

        def __getattr__(self, name):
            return getattr(real().environ, name)

        __class__ = property(lambda self: type(real().environ))
        __hash__ = None

    for special in "delitem eq ior iter len ne or repr reversed ror setitem".split():
        def make(name):
            def delegate(self, *values):
                return getattr(real().environ, name)(*values)
            return delegate
        setattr(Environ, "__%s__" % special, make("__%s__" % special))

    path, environ = Path(), Environ()

    class System(object):
        """`os`, which is imported when something of it is used that is not `posix`'s own.

        Importing it takes a tenth of the time of an empty script.
        """

        def __getattr__(self, name):
            if "os" not in modules:
                if name == "environ":
                    return environ
                if name == "path":
                    return path
                if hasattr(posix, name):
                    return getattr(posix, name)
            return getattr(real(), name)

    sys.meta_path.insert(0, Finder)
    return load, System()


_load, _os = _begin(dict(_COMPILED))
_face = __getattr__
_STARTED_FOR_REQUEST = False  # there is a shorter way here


def __getattr__(name):
    module = _MODULE_OF.get(name, name)
    if name in _MODULE_OF or name in _WITH:
        _load("cgikit." + module)
    return _face(name)
'''


Row = tuple[str, bool, bool, int, int]


def text(face: str, library: list[Row], sources: tuple[int, int]) -> str:
    """Return the source (str) of the `cgikit/__init__.py` of a bundle.

    `face` is that of cgikit's own. `library` has, for each module, its name, whether it is a package,
    whether each request needs it, and where its code is in `library.bin` and how long (0 without one).
    Those that each request needs come first, in the order of their imports. `sources` is the place of
    the sources.
    """
    table = "".join(f"    {row!r},\n" for row in library)
    return (
        f"{BEFORE}\n{face}\n_COMPILED = ()\n_SOURCES = {sources!r}\n_LIBRARY = (\n{table})\n{AFTER}"
    )
