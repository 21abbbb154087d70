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

meson_runner=(meson)

# meson_tests_in_shares N DIR ARG... - the same, N at a time: what uses servers mostly waits for them.
meson_tests_in_shares()
{
	local shares=$1 dir=$2 names share i logs
	shift 2
	mapfile -t names < <("${meson_runner[@]}" test -C "$dir" --no-rebuild --list "$@" 2>/dev/null |
		sed -nE 's/^(.* \/ |[^ ]+ - [^:]+:)//p')
	if [ ${#names[@]} = 0 ]; then
		tally_add failed "there are no such tests in $dir: $*"
		return
	fi
	rm -f "$dir"/meson-logs/share*.json
	for ((i = 0; i < shares; i++)); do
		# Every N-th: those of one kind, which take long or not, are spread over all shares.
		mapfile -t share < <(printf '%s\n' "${names[@]}" | awk -v n="$shares" -v i="$i" 'NR % n == i')
		[ ${#share[@]} -gt 0 ] || continue
		"${meson_runner[@]}" test -C "$dir" --no-rebuild --quiet --print-errorlogs --logbase "share$i" \
			"${share[@]}" &
	done
	wait
	for logs in "$dir"/meson-logs/share*.json; do
		tools/tally.py log "$logs" >>"$tally"
	done
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

# The same tests on another hiredis, or in another Debian, than this machine's.
elsewhere_tests()
{
	local where=$1 what=$2
	shift 2
	[ $# -gt 0 ] || set -- --suite unit --suite node --suite live
	tally_open
	"${where}_tests" "$what" "$@"
	tally_close
}

test_usage='usage: ./dev test [--no-cluster] [--hiredis VERSION | --root SUITE | --server NAME|all] [SUITE...]'

# test_verb [--no-cluster] [--hiredis VERSION | --root SUITE | --server NAME|all]... [SUITE...]
test_verb()
{
	local cluster=yes suites=() others=() rest=() servers='' each where= what=
	while [ $# -gt 0 ]; do
		case "$1" in
		--no-cluster) cluster=no ;;
		--hiredis | --root)
			[ $# -gt 1 ] || die "$1: of what?"
			where=${1#--} what=$2
			shift
			;;
		--server)
			[ $# -gt 1 ] || die "$test_usage"
			servers+=" $(servers_named "$2")" || exit 1
			shift
			;;
		-*) die "$test_usage" ;;
		*) suites+=("$1") ;;
		esac
		shift
	done
	for each in "${suites[@]}"; do
		[ "$each" = cluster ] || others+=(--suite "$each")
	done
	if [ -n "$where" ]; then
		elsewhere_tests "$where" "$what" "${others[@]}"
		return
	fi

	tally_open
	if ! ./dev build; then
		tally_add failed "the build"
		tally_close
		return
	fi
	if [ -n "$servers" ]; then
		servers_test "$servers" "${suites[@]:-live}"
		tally_close
		return
	fi
	if [ ${#suites[@]} = 0 ]; then
		# These bear company: they wait for servers of their own for most of the time.
		for each in live node tool examples bench; do
			others+=(--suite "$each") rest+=(--no-suite "$each")
		done
		meson_tests_in_shares 3 build "${others[@]}"
		meson_tests build testlog --no-suite cluster "${rest[@]}"
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
