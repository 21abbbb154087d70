# test_lib.sh - what the tests of the examples share: a local cluster, and claims. To be sourced.
#
# Usage: . test_lib.sh BUILD_ROOT FIRST_PORT
set -u

build=$1
first_port=$2
redlock=$build/cli/redlock
examples=$build/examples
failures=0
dir=$(mktemp -d "${TMPDIR:-/tmp}/rl-demo-test-XXXXXX") || exit 1

# Processes to end if a test is broken off; they may be stopped.
children=

clean_up()
{
	for child in $children; do
		kill -KILL "$child" 2>/dev/null
	done
	[ ! -d "$dir/nodes" ] || "$redlock" cluster stop --dir "$dir/nodes" >/dev/null 2>&1
	rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# claim TEXT TEST...: count and print whether [ TEST... ] holds.
claim()
{
	text=$1
	shift
	if [ "$@" ]; then
		echo "ok - $text"
	else
		echo "not ok - $text: [ $* ]"
		failures=$((failures + 1))
	fi
}

# start_cluster N: sets REDLOCK_NODES.
start_cluster()
{
	nodes=$1
	tries=0
	while ! "$redlock" cluster start --nodes "$nodes" --dir "$dir/nodes" --port "$first_port"; do
		tries=$((tries + 1))
		[ $tries -lt 5 ] || { echo "not ok - a cluster of $nodes starts" && exit 1; }
		first_port=$((first_port + nodes))
	done
	REDLOCK_NODES=
	port=$first_port
	while [ $port -lt $((first_port + nodes)) ]; do
		REDLOCK_NODES=$REDLOCK_NODES,redis://127.0.0.1:$port
		port=$((port + 1))
	done
	REDLOCK_NODES=${REDLOCK_NODES#,}
	export REDLOCK_NODES
}

finish()
{
	[ "$failures" -eq 0 ] || exit 1
	exit 0
}
