cat > t.tcl <<'END'
proc accept {c a p} { puts $c [string toupper [gets $c]]; close $c }
set s [socket -server accept -myaddr 127.0.0.1 0]; set port [lindex [fconfigure $s -sockname] 2]
set c [socket 127.0.0.1 $port]; puts $c hello; flush $c; fileevent $c readable {gets $c answer; set done 1}; vwait done; puts $answer
puts [exec sort << "b\na"]; catch {exec sh -c {exit 3}} m o; puts [lindex [dict get $o -errorcode] 2]
set f [open out w]; puts $f [string repeat x 1000]; close $f; puts [file size out]; after 10 {set late 1}; vwait late; puts late
set total 0; for {set i 0} {$i < 100000} {incr i} {incr total $i}; puts $total; puts [lsort -integer {3 1 2}]; puts [clock format 0 -gmt 1 -format %Y-%m-%d]
END
tclsh t.tcl
