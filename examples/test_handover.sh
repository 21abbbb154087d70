#!/bin/sh
# test_handover.sh BUILD_ROOT FIRST_PORT - handover.sh from step to step, and when it is too late.
. "$(dirname "$0")/test_lib.sh"

REDLOCK=$redlock
LOCK_DIR=$dir
LOCK_WAIT=5s
export REDLOCK LOCK_DIR LOCK_WAIT
handover=$(dirname "$0")/handover.sh

# Is it held?
held()
{
	"$redlock" status --json "$1" | grep -c '"held": *true'
}

start_cluster 3

"$handover" begin deploy
claim "it is taken" "$? $(held deploy)" = "0 1"
claim "only we can read the token" "$(stat -c %a "$dir/deploy.token")" = 600
"$handover" check deploy
claim "it is renewed" $? -eq 0
mkdir "$dir/other"
LOCK_DIR=$dir/other LOCK_WAIT=100ms "$handover" begin deploy 2>/dev/null
claim "nobody else gets it" $? -eq 75
claim "nor a token" ! -e "$dir/other/deploy.token"
echo 00112233445566778899aabbccddeeff >"$dir/other/deploy.token"
LOCK_DIR=$dir/other "$handover" end deploy 2>/dev/null
claim "who has no right token gives nothing back" "$? $(held deploy)" = "79 1"
REDLOCK_NODES=redis://127.0.0.1:1 "$handover" end deploy 2>/dev/null
claim "where no node answers, it can be tried again" "$? $(held deploy)" = "69 1"
"$handover" end deploy
claim "it is given back" "$? $(held deploy)" = "0 0"
claim "and the token is gone" ! -e "$dir/deploy.token"
"$handover" end deploy 2>/dev/null
claim "what is over is not ours" $? -eq 79

# The lease ends on the way, and somebody else takes the lock.
LOCK_TTL=500ms "$handover" begin deploy
LOCK_DIR=$dir/other "$handover" begin deploy
claim "it is another one's when its lease is over" $? -eq 0
"$handover" check deploy 2>/dev/null
claim "too late to go on" $? -eq 79
"$handover" end deploy 2>/dev/null
claim "too late to give it back: the other one keeps it" "$? $(held deploy)" = "79 1"
LOCK_DIR=$dir/other "$handover" end deploy
claim "until it gives it back" "$? $(held deploy)" = "0 0"
"$handover" 2>/dev/null
claim "usage: 64" $? -eq 64
"$handover" steal deploy 2>/dev/null
claim "no such verb: 64" $? -eq 64
finish
