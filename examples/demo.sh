#!/usr/bin/env bash
# demo.sh - what a lock is for, on real servers and real processes.
#
#   1. Workers in several processes sell a limited stock without a lock: oversold.
#   2. The same with the lock, while one lock node is killed and another hangs:
#      never oversold.
#   3. Two machines start the same nightly job at the same moment: it runs once.
#
# Exits with 0 only if all three came out as claimed. Needs a built tree, and
# redis-server or valkey-server. Leaves nothing behind, however it ends.
set -u -o pipefail

workers=8
stock=1000
port=23000
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$top/build

usage()
{
	cat <<-'EOF'
		usage: demo.sh [--quick] [--workers N] [--stock N] [--port P] [--build DIR]
		  --quick      a short run: 4 workers, 400 items
		  --workers N  processes that sell (default 8)
		  --stock N    items to sell (default 1000)
		  --port P     lowest port to use on loopback (default 23000)
		  --build DIR  the built tree (default: build beside this folder)
	EOF
}

while [ $# -gt 0 ]; do
	case $1 in
	--workers | --stock | --port | --build) [ $# -gt 1 ] || { usage >&2 && exit 64; } ;;&
	--quick) workers=4 stock=400 ;;
	--workers) workers=$2 && shift ;;
	--stock) stock=$2 && shift ;;
	--port) port=$2 && shift ;;
	--build) build=$2 && shift ;;
	--help) usage && exit 0 ;;
	*) usage >&2 && exit 64 ;;
	esac
	shift
done
case $workers:$stock:$port in
*[!0-9:]* | :* | *::* | *:) usage >&2 && exit 64 ;;
esac

redlock=$build/cli/redlock
oversell=$build/examples/oversell

# ---- Telling ------------------------------------------------------------------------------------

say()
{
	printf '%s\n' "$*"
}

title()
{
	printf '\n== %s\n' "$*"
}

give_up()
{
	printf '\ndemo: %s\n' "$*" >&2
	exit 1
}

# One line that is written over on a terminal; elsewhere a line for each tenth of the stock.
told=-1
progress()
{
	local sold=$1 left=$2
	local text="$workers workers: $sold sold, $left of $stock said to be left"
	if [ -t 1 ]; then
		printf '\r\033[K   %s' "$text"
	elif [ $((left * 10 / stock)) -ne "$told" ]; then
		told=$((left * 10 / stock))
		say "   $text"
	fi
}

# News between two lines of progress.
news()
{
	[ -t 1 ] && printf '\r\033[K'
	say "   * $*"
}

# ---- Cleaning up --------------------------------------------------------------------------------

dir=
children=()
node_pids=()
hung_pid=

# End our own processes, in every state they may be in, and nobody else's.
clean_up()
{
	local pid
	trap '' INT TERM HUP
	for pid in ${children[@]+"${children[@]}"}; do
		kill -TERM "$pid" 2>/dev/null
	done
	wait
	[ -z "$hung_pid" ] || kill -CONT "$hung_pid" 2>/dev/null
	if [ -n "$dir" ]; then
		stop_cluster "$dir/nodes"
		stop_cluster "$dir/shop"
		rm -rf "$dir"
	fi
}

stop_cluster()
{
	[ ! -d "$1" ] || "$redlock" cluster stop --dir "$1" >/dev/null 2>&1
}

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# ---- Servers ------------------------------------------------------------------------------------

port_is_free()
{
	! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Five ports for the lock nodes and a sixth for the shop, side by side.
find_ports()
{
	local first free p
	for ((first = port; first < port + 400; first += 10)); do
		free=yes
		for ((p = first; p < first + 6; p++)); do
			port_is_free "$p" || free=no
		done
		if [ $free = yes ]; then
			port=$first
			return
		fi
	done
	give_up "no six free ports side by side from $port upwards"
}

# The process behind a port, as the server itself says.
server_pid()
{
	local line
	exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
	printf 'INFO server\r\n' >&3
	while IFS= read -r -t 5 line <&3; do
		case $line in
		process_id:*)
			line=${line#process_id:}
			printf '%s\n' "${line%$'\r'}"
			exec 3>&-
			return 0
			;;
		esac
	done
	exec 3>&-
	return 1
}

start_servers()
{
	local i out pid
	find_ports
	out=$("$redlock" cluster start --nodes 5 --dir "$dir/nodes" --port "$port" 2>&1) ||
		give_up "cannot start the lock nodes: $out"
	out=$("$redlock" cluster start --nodes 1 --dir "$dir/shop" --port $((port + 5)) 2>&1) ||
		give_up "cannot start the shop: $out"
	REDLOCK_NODES=
	for ((i = 0; i < 5; i++)); do
		pid=$(server_pid $((port + i))) || give_up "node $((i + 1)) does not answer"
		node_pids+=("$pid")
		REDLOCK_NODES+=${REDLOCK_NODES:+,}redis://127.0.0.1:$((port + i))
	done
	export REDLOCK_NODES
	shop=redis://127.0.0.1:$((port + 5))
	say "five lock nodes on ports $port to $((port + 4)), the shop's stock on $((port + 5))"
}

# ---- Faults: by progress, so that they strike in the middle on any machine ----------------------

killed_at=
hung_at=
resumed_at=

strike()
{
	local sold=$1
	if [ -z "$killed_at" ] && [ "$sold" -ge $((stock * 3 / 10)) ]; then
		kill -KILL "${node_pids[1]}" && killed_at=$sold
		news "node 2 killed (SIGKILL) after $sold sales"
	fi
	if [ -z "$hung_at" ] && [ "$sold" -ge $((stock * 5 / 10)) ]; then
		hung_pid=${node_pids[3]}
		kill -STOP "$hung_pid" && hung_at=$sold
		news "node 4 hangs (SIGSTOP) after $sold sales"
	fi
	if [ -z "$resumed_at" ] && [ "$sold" -ge $((stock * 7 / 10)) ]; then
		kill -CONT "$hung_pid" && resumed_at=$sold
		hung_pid=
		news "node 4 goes on (SIGCONT) after $sold sales"
	fi
}

# ---- Selling ------------------------------------------------------------------------------------

# sell LABEL [OPTION...]: all workers sell until the stock is gone. Sets sold, oversold and failed.
sell()
{
	local label=$1 i count left pid until_s=$((SECONDS + 100))
	shift
	"$oversell" --stock "$shop" --fill "$stock" || give_up "cannot fill the stock"
	children=()
	for ((i = 1; i <= workers; i++)); do
		"$oversell" --stock "$shop" "$@" >"$dir/$label.$i.tally" 2>"$dir/$label.$i.error" &
		children+=($!)
	done
	told=-1
	while [ -n "$(jobs -rp)" ]; do
		[ $SECONDS -lt $until_s ] || give_up "selling takes too long"
		count=$("$oversell" --stock "$shop" --count) || give_up "cannot count the sales"
		read -r sold left <<<"$count"
		[ "$label" = without ] || strike "$sold"
		progress "$sold" "$left"
		sleep 0.1
	done
	failed=0
	for pid in "${children[@]}"; do
		wait "$pid" || failed=$((failed + 1))
	done
	children=()
	cat "$dir/$label".*.error >&2
	read -r sold left <<<"$("$oversell" --stock "$shop" --count)"
	oversold=$((sold - stock))
	news "$sold sales of $stock items: $oversold oversold"
}

# Items that are in the ledger at least once.
items_sold()
{
	"$oversell" --stock "$shop" --ledger | cut -d ' ' -f 2 | sort -un | wc -l
}

# tally LABEL FIELD: the sum of a field over all workers.
tally()
{
	local sum=0 value
	while read -r value; do
		sum=$((sum + value))
	done < <(sed -n "s/.*\"$2\": \([0-9]*\).*/\1/p" "$dir/$1".*.tally)
	printf '%s\n' "$sum"
}

# ---- The nightly job ----------------------------------------------------------------------------

# Both machines wait for a moment, since two that ask at once may split the votes; and the lock is
# kept for longer than that wait, so that the second does not run the job after the first.
start_machine()
{
	MACHINE=$1 OUT=$dir/nightly.log "$redlock" run -w 2 --min-hold 6s nightly-report -- \
		sh -c 'echo "$MACHINE" >>"$OUT"; sleep 1' 2>"$dir/$1.error" &
	children+=($!)
}

nightly_job()
{
	: >"$dir/nightly.log"
	start_machine alpha
	start_machine beta
	say "   alpha and beta have started it; one keeps the lock for 6 s"
	wait "${children[0]}"
	alpha=$?
	wait "${children[1]}"
	beta=$?
	children=()
	runs=$(wc -l <"$dir/nightly.log")
	ran_on=$(paste -s -d ' ' "$dir/nightly.log")
	say "   machine alpha: exit $alpha$(meaning "$alpha")"
	say "   machine beta:  exit $beta$(meaning "$beta")"
	sed 's/^/   /' "$dir/alpha.error" "$dir/beta.error"
}

meaning()
{
	case $1 in
	0) printf ' (ran the job)' ;;
	75) printf ' (another machine has it)' ;;
	69) printf ' (too few nodes)' ;;
	*) printf ' (unexpected)' ;;
	esac
}

# ---- Claims -------------------------------------------------------------------------------------

broken=0
claim()
{
	local text=$1
	shift
	if [ "$@" ]; then
		say "   yes  $text"
	else
		say "   NO   $text"
		broken=$((broken + 1))
	fi
}

# ---- The demo -----------------------------------------------------------------------------------

[ -x "$redlock" ] && [ -x "$oversell" ] || give_up "nothing built in $build: run ./dev build first"
dir=$(mktemp -d "${TMPDIR:-/tmp}/rl-demo-XXXXXX") || give_up "no directory for temporary files"

title "Servers"
start_servers

title "Without the lock: $workers workers sell $stock items"
sell without --no-lock
without_sold=$sold without_oversold=$oversold without_failed=$failed

title "With the lock: the same, while nodes die and hang"
sell with
with_sold=$sold with_oversold=$oversold with_failed=$failed
with_items=$(items_sold)
with_tally=$(tally with sales)
say "   $(tally with waits) of the acquires had to try more than once," \
	"$(tally with errors) ended with an error, $(tally with lost) leases ran out before the write"

title "The same nightly job on two machines at the same moment (redlock run)"
nightly_job

title "Summary after $SECONDS s"
say "   without the lock: $without_sold sales of $stock items, $without_oversold oversold"
say "   with the lock:    $with_sold sales of $stock items, $with_oversold oversold;" \
	"node 2 killed after ${killed_at:--}, node 4 hung from ${hung_at:--} to ${resumed_at:--}"
say "   nightly job:      ran $runs time(s), on ${ran_on:-no machine}"
say
claim "without the lock the stock was oversold" "$without_oversold" -gt 0
claim "with the lock nothing was oversold" "$with_oversold" -eq 0
claim "every one of the $stock items was sold" "$with_items" -eq "$stock"
claim "the workers' own counts agree with the ledger" "$with_tally" -eq "$with_sold"
claim "no worker gave up" $((without_failed + with_failed)) -eq 0
claim "a node was killed while there was stock left" "${killed_at:-$stock}" -lt "$stock"
claim "another hung while there was stock left" "${hung_at:-$stock}" -lt "$stock"
claim "and went on while there was stock left" "${resumed_at:-$stock}" -lt "$stock"
claim "the nightly job ran once" "$runs" -eq 1
claim "one machine ran it (0), the other stood back (75)" "$((alpha + beta)) $((alpha * beta))" = "75 0"

[ "$broken" -eq 0 ] || give_up "$broken claim(s) did not hold"
