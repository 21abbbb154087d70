# tools/peers.sh - other lock libraries beside ours, and all measurements as a report. Sourced after
# common.sh and packages.sh, after a build.

peers_program=build/bench/peers/peers

# bench_peers [hung] [SECONDS] [ARG...] - SECONDS is the length of a block; the rest is the script's.
bench_peers()
{
	local script=compare status=0 length=()
	if [ "${1:-}" = hung ]; then
		script=hung
		shift
	fi
	if [[ "${1:-}" =~ ^[0-9.]+$ ]]; then
		length=(--seconds "$1")
		shift
	fi
	bench/peers/build.sh "$peers_program" || status=$?
	if [ "$status" != 0 ]; then
		[ "$status" = 77 ] && return 0
		return "$status"
	fi
	python3 "bench/peers/$script.py" --peers "$peers_program" --ours build/bench "${length[@]}" "$@"
}

# Without the Go program, ours alone.
bench_timeline()
{
	local peers=() status=0
	bench/peers/build.sh "$peers_program" || status=$?
	case "$status" in
	0) peers=(--peers "$peers_program") ;;
	77) ;;
	*) return "$status" ;;
	esac
	python3 bench/peers/timeline.py "${peers[@]}" --ours build/bench "$@"
}

bench_report()
{
	local wanted
	mapfile -t wanted < <(missing_programs gnuplot=gnuplot-nox)
	install_packages "${wanted[@]}"
	python3 bench/report/report.py "$@"
}
