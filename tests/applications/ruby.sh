cat > t.rb <<'END'
require 'socket'; require 'json'; require 'digest'; require 'open3'; require 'tempfile'
puts (1..1000).map { |i| i * i }.select(&:even?).sum, JSON.parse(JSON.generate({ 'a' => [1, nil] })), Digest::SHA256.hexdigest('x' * 100000)
server = TCPServer.new('127.0.0.1', 0); t = Thread.new { c = server.accept; c.puts c.gets.upcase; c.close }
s = TCPSocket.new('127.0.0.1', server.addr[1]); s.puts 'hello'; puts s.read; t.join
out, status = Open3.capture2('sort', stdin_data: "b\na\n"); puts out, status.exitstatus
r, w = IO.pipe; pid = fork { r.close; w.puts 'child'; exit! 4 }; w.close; puts r.read; Process.wait pid; puts $?.exitstatus
q = Queue.new; ts = 5.times.map { |i| Thread.new { 100.times { q << i } } }; ts.each(&:join); puts q.size
Tempfile.create('x') { |f| f.write 'y' * 1000; f.flush; puts File.size(f.path) }
trap('USR1') { puts 'signal' }; Process.kill('USR1', Process.pid); sleep 0.05
END
ruby t.rb
