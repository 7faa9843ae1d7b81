"""Ruby's cgi library: fields, an upload, cookies, a session, a redirect."""

import random

from .site import Program, Site
from .visit import Visit

SCRIPT = r"""#!/usr/bin/ruby
require "cgi"
require "cgi/session"
require "digest"

cgi = CGI.new(accept_charset: "UTF-8")
case cgi.query_string
when "to=away"
  print cgi.http_header("status" => "REDIRECT", "Location" => "https://example.org/")
when "to=gone"
  print cgi.http_header("status" => "410 Gone", "type" => "text/plain"), "gone\n"
when "to=broken"
  raise "broken"
else
  session = CGI::Session.new(cgi, "tmpdir" => "{sessions}", "session_path" => "/")
  session["visits"] = (session["visits"] || 0).to_i + 1
  session.close
  tint = CGI::Cookie.new("name" => "tint", "value" => ["red", "a b"], "path" => "/")
  cgi.out("type" => "text/html", "charset" => "UTF-8", "cookie" => [tint]) do
    lines = ["visit #{{session["visits"]}}", cgi.request_method, cgi.path_info.to_s]
    lines << cgi.cookies["tint"].inspect
    cgi.params.sort.each do |name, values|
      values.each do |value|
        if value.respond_to?(:original_filename) && value.original_filename
          about = [value.original_filename, value.content_type, Digest::MD5.hexdigest(value.read)]
          lines << "#{{name}}: #{{about.join(", ")}}"
        else
          text = value.respond_to?(:read) ? value.read : value
          lines << CGI.escapeHTML("#{{name}}=#{{text}}")
        end
      end
    end
    lines.join("\n") + "\n"
  end
end
"""


def install(site: Site) -> None:
    """A script, and a directory for sessions."""
    sessions = site.keep("ruby-sessions")
    site.script("hello.rb", SCRIPT.format(sessions=sessions))
    site.keep("ruby.bin", random.Random(6).randbytes(1_500_000))


def visit(to: Visit) -> None:
    """Pages, forms, sessions, and a script that fails."""
    page = "hello.rb"
    file = to.site.state / "ruby.bin"
    jar = ("--cookie", str(to.directory / "jar"), "--cookie-jar", str(to.directory / "jar"))
    to.ask("page", f"{page}?a=1&a=2;b=3", has="visit 1")
    to.ask("head", page, "--head")
    to.ask("path", f"{page}/x/y%20z?q=%C3%BC", has="/x/y z")
    to.ask("post", page, "--data", "name=Gr%C3%BC%C3%9Fe+%3Cb%3E", has="name=Grüße &lt;b&gt;")
    to.ask(
        "upload",
        page,
        "--form",
        "name=Ada",
        "--form",
        f"file=@{file};filename=a b.bin",
        has="a b.bin",
    )
    to.ask("session", page, *jar, has="visit 1")
    to.ask("session again", page, *jar, has="visit 2")
    to.ask("away", f"{page}?to=away", status=302)
    to.ask("gone", f"{page}?to=gone", status=410, has="gone")
    to.ask("broken", f"{page}?to=broken", status=500)


PROGRAM = Program("ruby", ("ruby",), install, visit, hide=(r"_session_id=(\w+)",))
