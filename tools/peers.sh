# tools/peers.sh - other lock libraries beside ours. Sourced after common.sh, after a build.

# bench_peers [hung] [SECONDS] [ARG...] - SECONDS is the length of a block; the rest is the script's.
bench_peers()
{
	local program=build/bench/peers/peers script=compare status=0 length=()
	if [ "${1:-}" = hung ]; then
		script=hung
		shift
	fi
	if [[ "${1:-}" =~ ^[0-9.]+$ ]]; then
		length=(--seconds "$1")
		shift
	fi
	bench/peers/build.sh "$program" || status=$?
	if [ "$status" != 0 ]; then
		[ "$status" = 77 ] && return 0
		return "$status"
	fi
	python3 "bench/peers/$script.py" --peers "$program" --ours build/bench "${length[@]}" "$@"
}
