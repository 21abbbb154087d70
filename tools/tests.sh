# tools/tests.sh - run tests, and keep a tally of them. Sourced after common.sh and cluster.sh.

tally=
cluster_ours=no

# Once, before the first test; what is left of the run goes with the shell, however that ends.
tally_open()
{
	tally=$(mktemp /tmp/redlock-tally-XXXXXX)
	trap tidy EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

tidy()
{
	tidy_cluster
	rm -f "$tally"
}

tidy_cluster()
{
	if [ "$cluster_ours" = yes ]; then
		cluster_ours=no
		cluster_down
	fi
	cluster_end_turn
}

# tally_add passed|failed|skipped NAME
tally_add()
{
	printf '%s 1 %s\n' "$1" "$2" >>"$tally"
}

# Print the closing line; false if anything failed. Who runs us as a part may ask for the tally.
tally_close()
{
	[ -z "${REDLOCK_TALLY:-}" ] || cp "$tally" "$REDLOCK_TALLY"
	tools/tally.py close "$tally"
}

# meson_tests DIR LOGBASE ARG... - run tests of a build directory and count them.
meson_tests()
{
	local dir=$1 base=$2 logs
	shift 2
	rm -f "$dir/meson-logs/$base".json "$dir/meson-logs/$base"-*.json
	meson test -C "$dir" --no-rebuild --print-errorlogs --logbase "$base" "$@" || true
	# The name of a test setup becomes part of the log's.
	logs=("$dir/meson-logs/$base"*.json)
	tools/tally.py log "${logs[0]}" >>"$tally"
}

# Bring the containers up, run the suite, take them down, whatever happens: they and their data are
# the test's own. A cluster that somebody had up before is used, made good, and left up.
cluster_tests()
{
	local obstacle
	obstacle=$(cluster_obstacle)
	if [ -z "$obstacle" ]; then
		cluster_take_turn
		obstacle=$(cluster_port_obstacle)
	fi
	if [ -n "$obstacle" ]; then
		tally_add skipped "cluster quorum: $obstacle"
		cluster_end_turn
		return
	fi
	if [ -z "$(cluster_containers)" ]; then
		cluster_ours=yes
	fi
	if cluster_up; then
		REDLOCK_CLUSTER_REQUIRED=1 meson_tests build clusterlog --suite cluster
	else
		tally_add failed "cluster quorum: the containers did not come up"
	fi
	tidy_cluster
}

wants()
{
	local suite=$1 each
	shift
	if [ $# = 0 ]; then
		return 0
	fi
	for each in "$@"; do
		[ "$each" != "$suite" ] || return 0
	done
	return 1
}

# test_verb [--no-cluster] [SUITE...]
test_verb()
{
	local cluster=yes suites=() others=() each
	for each in "$@"; do
		case "$each" in
		--no-cluster) cluster=no ;;
		-*) die "usage: ./dev test [--no-cluster] [SUITE...]" ;;
		*) suites+=("$each") ;;
		esac
	done
	for each in "${suites[@]}"; do
		[ "$each" = cluster ] || others+=(--suite "$each")
	done

	tally_open
	if ! ./dev build; then
		tally_add failed "the build"
		tally_close
		return
	fi
	if [ ${#suites[@]} = 0 ]; then
		meson_tests build testlog --no-suite cluster
	elif [ ${#others[@]} -gt 0 ]; then
		meson_tests build testlog "${others[@]}"
	fi
	if wants cluster "${suites[@]}"; then
		if [ "$cluster" = yes ]; then
			cluster_tests
		else
			tally_add skipped "cluster quorum: --no-cluster"
		fi
	fi
	tally_close
}
