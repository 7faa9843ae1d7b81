# Ruby's cgi library.
require 'cgi'

cgi = CGI.new
name = cgi.params['name'].first || 'world'
cgi.out('text/html; charset=utf-8') { "<p>Hello, #{CGI.escapeHTML(name)}!</p>\n" }
