#!/bin/sh
# test_embedding.sh BUILD_ROOT FIRST_PORT - the embedding example takes, works, gives back; and says
# which nodes failed when there is no quorum.
. "$(dirname "$0")/test_lib.sh"

start_cluster 3
# One argument for each node.
urls=$(echo "$REDLOCK_NODES" | tr ',' ' ')

# shellcheck disable=SC2086
out=$("$examples/embedding" $urls)
claim "it ends well" $? -eq 0
claim "it acquires" "$(echo "$out" | grep -c '^acquired for ')" -eq 1
claim "it works" "$(echo "$out" | grep -c '^work done, ')" -eq 1
claim "it releases" "$(echo "$out" | grep -c '^released: ok')" -eq 1
# shellcheck disable=SC2086
"$examples/embedding" $urls >/dev/null
claim "and can do so again at once" $? -eq 0

"$redlock" run -w 5s nightly-report -- sleep 30 &
holder=$!
until "$redlock" status --json nightly-report | grep -q '"held": *true'; do
	sleep 0.2
done
# shellcheck disable=SC2086
"$examples/embedding" $urls >/dev/null 2>"$dir/error"
claim "it fails while another holds the lock" $? -eq 1
claim "and tells what each node said" "$(grep -c ': held' "$dir/error")" -ge 2
kill "$holder"
wait "$holder"

"$redlock" cluster stop --dir "$dir/nodes"
# shellcheck disable=SC2086
"$examples/embedding" $urls >/dev/null 2>"$dir/error"
claim "it fails without nodes" $? -eq 1
claim "and tells about all three" "$(grep -c ': unreachable' "$dir/error")" -eq 3
"$examples/embedding" 2>/dev/null
claim "usage: 64" $? -eq 64
"$examples/embedding" http://nobody 2>/dev/null
claim "a bad URL: 64" $? -eq 64
finish
