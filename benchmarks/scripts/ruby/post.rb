# Ruby's cgi library with a url-encoded body.
require 'cgi'

cgi = CGI.new
last = cgi.params['field20'].first || ''
cgi.out('text/html; charset=utf-8') { "<p>#{cgi.params.size} fields, the last: #{CGI.escapeHTML(last)}</p>\n" }
