# Ruby's cgi library and a counter by hand: flock, read, write a new file, rename it.
require 'cgi'

cgi = CGI.new
digits = Integer(cgi.params['digits'].first || '6')
count = File.open('data/count.dat.lock', 'w') do |lock|
  lock.flock(File::LOCK_EX)
  next_count = Integer(File.read('data/count.dat')) + 1
  File.write('data/count.dat.new', "#{next_count}\n")
  File.rename('data/count.dat.new', 'data/count.dat')
  next_count
end
cgi.out('text/html; charset=utf-8') { format("<p>You are visitor number <b>%0#{digits}d</b></p>\n", count) }
