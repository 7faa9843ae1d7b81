"""PHP by php-cgi: fields, an upload, a session, and what a script may say of its answer."""

import hashlib
import random

from .site import Program, Site
from .visit import Visit

#: Without the option php-cgi only runs for a server that sets REDIRECT_STATUS, as httpd's Action does.
FIRST_LINE = "#!/usr/bin/php-cgi -dcgi.force_redirect=0"

SCRIPT = r"""
<?php
session_save_path("{sessions}");
$to = $_GET["to"] ?? "";
if ($to === "away") {{
    header("Location: https://example.org/");
    exit;
}}
if ($to === "here") {{
    header("Location: " . $_SERVER["SCRIPT_NAME"] . "?name=Ada", true, 303);
    exit;
}}
if ($to === "gone") {{
    http_response_code(410);
    exit("gone\n");
}}
if ($to === "file") {{
    header("Content-Type: text/csv");
    header("Content-Disposition: attachment; filename=\"a b.csv\"");
    for ($row = 0; $row < 100000; $row++) {{
        echo "$row,Ada\r\n";
    }}
    exit;
}}
if ($to === "raw") {{
    header("Content-Type: text/plain");
    exit(md5(file_get_contents("php://input")) . "\n");
}}
session_start();
$_SESSION["visits"] = ($_SESSION["visits"] ?? 0) + 1;
setcookie("tint", "a b;c", 0, "/", "", false, true);
setcookie("other", "1");
echo "<p>visit {{$_SESSION['visits']}}</p>\n";
foreach (["REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "SCRIPT_NAME", "CONTENT_TYPE"] as $name) {{
    echo $name, "=", htmlspecialchars($_SERVER[$name] ?? "unset"), "\n";
}}
print_r($_GET);
print_r($_POST);
print_r($_COOKIE["tint"] ?? "none");
foreach ($_FILES as $name => $file) {{
    echo $name, ": ", $file["name"], ", ", $file["type"], ", ", $file["size"], ", ", $file["error"];
    echo ", ", $file["error"] ? "" : md5_file($file["tmp_name"]), "\n";
}}
"""


def install(site: Site) -> None:
    """A script, and a directory for sessions."""
    sessions = site.keep("php-sessions")
    site.script("hello.php", FIRST_LINE + SCRIPT.format(sessions=sessions))
    site.keep("php.bin", random.Random(5).randbytes(1_500_000))


def visit(to: Visit) -> None:
    """Pages, forms, sessions."""
    page = "hello.php"
    file = to.site.state / "php.bin"
    jar = ("--cookie", str(to.directory / "jar"), "--cookie-jar", str(to.directory / "jar"))
    to.ask("page", f"{page}?a=1&b[]=2&b[]=3", has="visit 1")
    to.ask("head", page, "--head")
    to.ask("path", f"{page}/x/y%20z?q=%C3%BC", has="PATH_INFO=/x/y z")
    to.ask("post", page, "--data", "name=Gr%C3%BC%C3%9Fe&list[]=1&list[]=2", has="Grüße")
    to.ask(
        "upload",
        page,
        "--form",
        "name=Ada",
        "--form",
        f"file=@{file};filename=ü.bin",
        has="1500000",
    )
    to.ask("raw", f"{page}?to=raw", "--data-binary", f"@{file}", "--header", "Content-Type: a/b")
    to.ask("session", page, *jar, has="visit 1")
    to.ask("session again", page, *jar, has="visit 2")
    to.ask("away", f"{page}?to=away", status=302)
    to.ask("here", f"{page}?to=here", "--data", "a=b", status=303)
    to.ask("gone", f"{page}?to=gone", status=410, has="gone")
    to.ask("file", f"{page}?to=file", has="99999,Ada")
    to.ask("put", page, "--request", "PUT", "--data", "raw", has="REQUEST_METHOD=PUT")


def beyond(to: Visit) -> None:
    """A body without a length: mod_cgid does not gather it, and PHP reads none of it."""
    chunked = ("--header", "Transfer-Encoding: chunked", "--header", "Content-Type: a/b")
    file = to.site.state / "php.bin"
    wanted = hashlib.md5(file.read_bytes()).hexdigest()
    to.ask("chunked", "hello.php?to=raw", "--data-binary", f"@{file}", *chunked, has=wanted)


PROGRAM = Program(
    "php",
    ("php-cgi",),
    install,
    visit,
    beyond=beyond,
    hide=(r"PHPSESSID=(\w+)",),
)
