"""The names that Perl's CGI modules document: subroutines, arguments, pragmas, globals, sets to import.

They are read from the installed modules, from the POD and from the table of symbols: a subroutine is
documented if the module defines it and its POD names it. CGI::Tiny is not in Debian's stable release,
so its names are data (tests/data/perl/cgi-tiny.txt), as are those of CGI.pm 5 that 4.55 has not yet.

A name is written as in Perl: `param`, `-type`, `$CGI::POST_MAX`, `:cgi-lib`, `FCGI_SOCKET_PATH`.
"""

import re
import subprocess
from functools import cache
from pathlib import Path

from house import ROOT

PERL = Path("/usr/share/perl5")
DATA = ROOT / "tests" / "data" / "perl"

#: The file whose POD documents a module: more than one for a module with parts.
POD_OF = {
    "CGI": ("CGI.pod",),
    "CGI::HTML::Functions": ("CGI/HTML/Functions.pod",),
    "CGI::Cookie": ("CGI/Cookie.pm",),
    "CGI::Carp": ("CGI/Carp.pm",),
    "CGI::Push": ("CGI/Push.pm",),
    "CGI::Fast": ("CGI/Fast.pm",),
    "CGI::Util": ("CGI/Util.pm",),
    "CGI::Session": (
        "CGI/Session.pm", "CGI/Session/Tutorial.pm", "CGI/Session/ErrorHandler.pm",
        "CGI/Session/Driver/file.pm", "CGI/Session/Driver/DBI.pm", "CGI/Session/ID/incr.pm",
    ),
    "CGI::Simple": ("CGI/Simple.pm",),
}  # fmt: skip

#: The package that has the subroutines, where it is not the module itself.
PACKAGE_OF = {"CGI::HTML::Functions": "CGI"}

#: Documented, and no names of anything: examples, words of Perl, other modules' methods.
NOT_NAMES = set((DATA / "not-names.txt").read_text().split())

#: Prints the subroutines that a package defines itself, a name or an import tag on each line.
SYMBOLS = r"""
use B; no strict "refs"; no warnings;
my ($module, $package) = @ARGV;
eval "require $module; 1" or die $@;
for my $name (sort keys %{"${package}::"}) {
    my $code = *{"${package}::$name"}{CODE} or next;
    my $home = B::svref_2object($code)->GV->STASH->NAME;
    print "$name\n" if $home =~ /^CGI\b/ and $name =~ /^[A-Za-z]\w*$/;
}
print "$_\n" for keys %{"${package}::EXPORT_TAGS"};
if ($package eq "CGI") { print "!$_\n" for CGI::_all_html_tags() }
"""


def pod(text: str) -> str:
    """The POD of a Perl file: from a command at the start of a line to `=cut`."""
    lines, inside = [], False
    for line in text.splitlines():
        if re.match(r"=[a-z]", line):
            inside = not line.startswith("=cut")
        if inside:
            lines.append(line)
    return "\n".join(lines) + "\n"


def code(text: str) -> list[str]:
    """What POD shows as code or as a heading: verbatim lines, headings, items, C<>, B<> and I<>."""
    found = [line for line in text.splitlines() if line[:1] in (" ", "\t")]
    found += re.findall(r"^=(?:head\d|item)\s+(.*)", text, re.M)
    found += re.findall(r"[CBI]<+\s*([^<>]*(?:->[^<>]*)?)>+", text)
    # A name with its brackets is code wherever it is.
    found += re.findall(r"\b\w+\(\)", text)
    return found


def arguments(shown: list[str]) -> set[str]:
    """Arguments and pragmas: `-type => …`, and an item or a bold word that is one."""
    found = set()
    for line in shown:
        found |= set(re.findall(r"(?<![\w-])-([A-Za-z]\w*)\s*=>", line))
        if re.match(r"\s*-\s?[a-z]\w*(?:\s*(?:[,/]|and)\s*-?\s?[a-z]\w*)*\s*$", line):
            found |= set(re.findall(r"-\s?([a-z]\w*)", line))
        if use := re.match(r"\s*use CGI\S*\s+(.*)", line):
            found |= set(re.findall(r"(?<!\w)-([a-z]\w*)", use[1]))
    return {f"-{name}" for name in found}


def variables(module: str, text: str, shown: list[str]) -> set[str]:
    """Globals by their full names; CGI::Simple's list of its own has short ones."""
    found = set(re.findall(r"\$CGI::\w+(?:::\w+)*", text))
    if module == "CGI::Simple":
        found |= {
            f"$CGI::Simple::{name}"
            for line in shown
            for name in re.findall(r"^\s*\$([A-Z][A-Z_]+)\s*=", line)
        }
    return found


def special(module: str, text: str) -> set[str]:
    """Names that have a meaning of their own: parameters, environment, keys of a driver."""
    found = set(re.findall(r"\b(?:POST|PUT|PATCH)DATA\b", text)) if module == "CGI" else set()
    if module == "CGI::Fast":
        found |= set(re.findall(r"\bFCGI_[A-Z_]+\b|\bsocket_p\w+\b|\blisten_queue\b", text))
    if module == "CGI::Session":
        found |= set(re.findall(r"driver:(?:file|db_file|mysql|sqlite|postgresql)", text.lower()))
        found |= set(re.findall(r"serializer:(?:default|storable|freezethaw|yaml)", text.lower()))
        found |= set(re.findall(r"\bid:(?:md5|incr|static)", text.lower()))
        found |= set(re.findall(r"^\s*(Directory|NoFlock|UMask)\s+=>", text, re.M))
        found |= set(re.findall(r"^=item ([A-Z]\w+[A-Z]\w+|Handle|User|Password)$", text, re.M))
    if module == "CGI::Carp":
        found |= set(re.findall(r"\bnoTimestamp\b", text))
    return found


@cache
def symbols(package: str) -> list[str]:
    """The subroutines of a package and its import tags; HTML's elements are marked by a "!"."""
    module = package if package in POD_OF else "CGI"
    done = subprocess.run(
        ["perl", "-e", SYMBOLS, module, package], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@cache
def documented(module: str) -> frozenset[str]:
    """All that a module documents."""
    if module not in POD_OF:
        return frozenset((DATA / f"{module.lower().replace('::', '-')}.txt").read_text().split())
    text = "".join(pod((PERL / path).read_text("utf-8", "replace")) for path in POD_OF[module])
    names = named(module, text, symbols(PACKAGE_OF.get(module, module)))
    for line in (DATA / "more-names.txt").read_text().splitlines():
        owner, _, name = line.partition(" ")
        names |= {name} if owner == module else set()
    return frozenset(names - NOT_NAMES)


def named(module: str, text: str, known: list[str]) -> set[str]:
    """The names that the POD of a module has; `known` are its subroutines and import tags."""
    shown = code(text)
    words = set(re.findall(r"[A-Za-z]\w*", " ".join(shown)))
    elements = {name[1:] for name in known if name[0] == "!"}
    elements |= {f"{edge}_{name}" for name in elements for edge in ("start", "end")}
    names = words & set(known) - (elements - {"start_html", "end_html"})
    names |= {name for name in known if name[0] == ":" and name in text}
    return names | arguments(shown) | variables(module, text, shown) | special(module, text)
