"""A program in C, which knows nothing but its environment and its standard input."""

import random

from .site import Program, Site
from .visit import Visit

SOURCE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *get(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

int main(void) {
    const char *query = get("QUERY_STRING");
    if (!strcmp(query, "away")) {
        printf("Location: https://example.org/\n\n");
    } else if (!strcmp(query, "crash")) {
        abort();
    } else if (!strcmp(query, "silent")) {
        return 0;
    } else if (!strcmp(query, "none")) {
        printf("Status: 204 No Content\n\n");
    } else if (!strcmp(query, "large")) {
        static char block[65536];
        printf("Content-Type: application/octet-stream\nContent-Length: 20971520\n\n");
        for (int i = 0; i < 320; i++) {
            memset(block, 'a' + i % 26, sizeof block);
            fwrite(block, 1, sizeof block, stdout);
        }
    } else if (!strcmp(query, "echo")) {
        /* The header first, then each piece of the body as it comes */
        static char block[4096];
        size_t count;
        printf("Content-Type: application/octet-stream\n\n");
        fflush(stdout);
        while ((count = fread(block, 1, sizeof block, stdin)) > 0)
            fwrite(block, 1, count, stdout);
    } else {
        unsigned long sum = 1, other = 0, length = strtoul(get("CONTENT_LENGTH"), 0, 10), count = 0;
        int byte;
        while (count < length && (byte = getchar()) != EOF) {
            sum = (sum + byte) % 65521;
            other = (other + sum) % 65521;
            count++;
        }
        printf("Content-Type: text/plain; charset=utf-8\nX-Sum: %lx\n\n", other << 16 | sum);
        printf("%s %s|%s|%s\n", get("REQUEST_METHOD"), get("SCRIPT_NAME"), get("PATH_INFO"), query);
        printf("%lu bytes of %s\n", count, get("CONTENT_TYPE"));
    }
    return 0;
}
"""


def install(site: Site) -> None:
    """The program, compiled, and what is sent to it."""
    site.keep("hello.c", SOURCE)
    site.run("cc", "-o", "hello", "hello.c")
    path = site.scripts / "hello"
    path.write_bytes((site.state / "hello").read_bytes())
    path.chmod(0o755)
    site.keep("c.bin", random.Random(7).randbytes(2_000_000))


def visit(to: Visit) -> None:
    """Bodies in and out, and every way to end."""
    file = f"@{to.site.state / 'c.bin'}"
    to.ask("page", "hello/a%20b?x=%C3%BC", has="GET /hello|/a b|x=%C3%BC")
    to.ask("head", "hello", "--head")
    to.ask("body", "hello", "--data-binary", file, has="2000000 bytes")
    to.ask("put", "hello", "--upload-file", file[1:], has="PUT")
    to.ask("away", "hello?away", status=302)
    to.ask("none", "hello?none", status=204)
    to.ask("large", "hello?large", has=65_536 * "h")
    to.ask("crash", "hello?crash", status=500)
    to.ask("silent", "hello?silent", status=500)


def beyond(to: Visit) -> None:
    """An answer while the body is read: mod_cgid reads none before it has sent all, and both wait."""
    sent = to.site.state / "c.bin"
    answer = to.ask("echo", "hello?echo", "--data-binary", f"@{sent}")
    to.note("echo is whole", answer is not None and answer.body == sent.read_bytes())


PROGRAM = Program("c", ("cc",), install, visit, beyond=beyond)
