# Ruby's cgi library with a multipart body: every part is an IO.
require 'cgi'

cgi = CGI.new
note = cgi.params['note'].first.read.force_encoding('UTF-8')
file = cgi.params['file'].first
cgi.out('text/html; charset=utf-8') do
  "<p>#{CGI.escapeHTML(note)}: #{CGI.escapeHTML(file.original_filename)}, #{file.size} bytes</p>\n"
end
