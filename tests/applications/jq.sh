seq 5000 | awk '{printf "{\"id\": %d, \"tag\": \"t%d\", \"v\": [%d, %d]}\n", $1, $1 % 7, $1, $1 * 2}' > in
answer count 5000 "$(jq -s length in)"
jq -s -c 'group_by(.tag) | map({tag: .[0].tag, sum: (map(.v | add) | add)})' in; jq -r 'select(.id % 1000 == 0) | [.id, .tag] | @csv' in; echo 'not json' | jq . 2>/dev/null || echo status $?
