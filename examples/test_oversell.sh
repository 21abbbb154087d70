#!/bin/sh
# test_oversell.sh BUILD_ROOT FIRST_PORT - workers on a stock in a file. (demo.sh --quick, a test of
# its own, has the stock in a server.)
. "$(dirname "$0")/test_lib.sh"

oversell=$examples/oversell
stock=file:$dir/stock

# sell N OPTION...: N workers at the same time; sets codes to their exit codes.
sell()
{
	count=$1
	shift
	pids=
	codes=
	while [ "$count" -gt 0 ]; do
		"$oversell" --stock "$stock" --think 1-3 "$@" >>"$dir/tally" &
		pids="$pids $!"
		count=$((count - 1))
	done
	for pid in $pids; do
		wait "$pid"
		codes="$codes$?"
	done
}

# Sales that the workers counted themselves.
tally()
{
	sum=0
	for sales in $(sed -n 's/.*"sales": \([0-9]*\).*/\1/p' "$dir/tally"); do
		sum=$((sum + sales))
	done
	echo $sum
}

items()
{
	"$oversell" --stock "$stock" --ledger | cut -d ' ' -f 2 | sort -un | wc -l
}

"$oversell" --stock "$stock" --fill 30
claim "filled" "$("$oversell" --stock "$stock" --count)" = "0 30"
sell 1 --no-lock
claim "alone, a worker needs no lock" "$codes $("$oversell" --stock "$stock" --count)" = "0 30 0"
claim "it counts its sales" "$(tally)" -eq 30
claim "the ledger has each item" "$(items)" -eq 30

start_cluster 3
: >"$dir/tally"
"$oversell" --stock "$stock" --fill 100
claim "filled again: an empty ledger" "$("$oversell" --stock "$stock" --count)" = "0 100"
sell 3
claim "three workers with the lock" "$codes $("$oversell" --stock "$stock" --count)" = "000 100 0"
claim "they count 100 sales" "$(tally)" -eq 100
claim "each item is sold once" "$(items)" -eq 100

# A worker is paused while it thinks, for longer than its lease lasts; another sells meanwhile. When
# it goes on, it has decided on a number that is no longer true, and must not write it.
"$oversell" --stock "$stock" --fill 20
"$oversell" --stock "$stock" --ttl 4000 --think 2000-2000 >"$dir/paused" &
paused=$!
children=$paused
until "$redlock" status --json stock | grep -q '"held": *true'; do
	sleep 0.1
done
kill -STOP "$paused"
claim "paused before its first sale" "$("$oversell" --stock "$stock" --count)" = "0 20"
sell 1
claim "another one sells all" "$codes $("$oversell" --stock "$stock" --count)" = "0 20 0"
kill -CONT "$paused"
wait "$paused"
code=$?
children=
claim "the paused one ends well" $code -eq 0
claim "it sold nothing" "$("$oversell" --stock "$stock" --count)" = "20 0"
claim "since it saw that its lease was over" "$(grep -c '"sales": 0,.*"lost": 1}' "$dir/paused")" -eq 1

"$oversell" --stock "$stock" 2>/dev/null --nodes redis:/nonsense >/dev/null
claim "a bad node: 69" $? -eq 69
(unset REDLOCK_NODES && "$oversell" --stock "$stock" 2>/dev/null)
claim "no node: 64" $? -eq 64
"$oversell" --stock nonsense --count 2>/dev/null
claim "a stock that cannot be opened: 69" $? -eq 69
"$oversell" 2>/dev/null
claim "no stock: 64" $? -eq 64
"$oversell" --stock "$stock" --think 5-1 2>/dev/null
claim "a bad range: 64" $? -eq 64
finish
