export TMUX_TMPDIR=$PWD SHELL=/bin/sh
t() { tmux -f /dev/null -L s "$@"; }
t new-session -d -x 80 -y 24 -s one 'PS1="$ " exec sh'
t send-keys -t one 'echo $((6 * 7))' Enter
shows() { t capture-pane -p -t one | grep -qx "$1"; }
await shows 42
t split-window -h -t one 'PS1="$ " exec sh'; t new-window -t one -n second 'exec cat'
answer windows '2 3' "$(t list-windows -t one | wc -l) $(t list-panes -s -t one | wc -l)"
t resize-window -t one:0 -x 100 -y 30; t select-window -t one:0; t select-pane -t one:0.0
answer size '100 30' "$(t display-message -p -t one:0 '#{window_width} #{window_height}')"
t set-buffer 'pasted text'; t paste-buffer -t one:1; pasted() { t capture-pane -p -t one:1 | grep -qx 'pasted text'; }; await pasted; echo pasted
t kill-server; gone() { ! t ls; }; await gone; echo gone
