# tools/soak.sh - chaos on real parts, for as long as asked. Sourced after common.sh, packages.sh,
# tests.sh and cluster.sh.

# The server's command line in the containers: a socket for the driver, and slow loading on demand.
soak_server_options="--unixsocket /chaos/socket --unixsocketperm 777 --enable-debug-command yes \
--loading-process-events-interval-bytes 1024"

# The value of --ground, if there is one.
soak_ground()
{
	local each before=
	for each in "$@"; do
		case "$each" in
		--ground=*) before=${each#*=} ;;
		*) [ "$before" != --ground ] || before=found:$each ;;
		esac
		[ "$each" != --ground ] || before=--ground
	done
	echo "${before#found:}"
}

# A room for each node, where its container finds its clock.
soak_make_room()
{
	local node room
	room=$(mktemp -d /tmp/rl-chaos-XXXXXX)
	for node in 0 1 2 3 4; do
		mkdir "$room/node$node"
		cp build/test/chaos/chaos_wall_clock.so "$room/node$node/wall_clock.so"
		head -c 8 /dev/zero >"$room/node$node/clock"
	done
	chmod -R a+rwX "$room"
	echo "$room"
}

# The containers are the run's own: faults leave nothing of theirs as it was.
soak_compose()
{
	local status=0 tools obstacle
	cluster_needs_docker
	mapfile -t tools < <(missing_programs nft=nftables ip=iproute2)
	install_packages "${tools[@]}"
	cluster_take_turn
	obstacle=$(cluster_port_obstacle)
	[ -z "$obstacle" ] || die "$obstacle"
	[ -z "$(cluster_containers)" ] || die "the cluster is up: ./dev cluster down first"
	CHAOS_ROOM=$(soak_make_room)
	export CHAOS_ROOM REDLOCK_SERVER_OPTIONS=$soak_server_options
	export COMPOSE_FILE=docker-compose.yml:test/chaos/compose.yml
	trap 'cluster_down; rm -rf "$CHAOS_ROOM"; cluster_end_turn' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	cluster_up || die "the containers did not come up"
	say "what the faults do in containers"
	as_root python3 test/chaos/check_faults.py build --room "$CHAOS_ROOM" || die "a fault does not bite"
	say "chaos"
	as_root python3 test/chaos/soak.py "$@" --build build --room "$CHAOS_ROOM" || status=$?
	exit $status
}

# Five minutes of all of it: ./dev soak ci
soak_ci()
{
	local status=0 obstacle
	soak_local 90s --out build/soak/ci-minority || status=1
	soak_local 40s --scenario majority --out build/soak/ci-majority || status=1
	soak_local 12s --plant overstay --out build/soak/ci-overstay || status=1
	soak_local 60s --plant QUORUM_LESS_ONE --out build/soak/ci-mutant || status=1
	obstacle=$(cluster_obstacle)
	if [ -n "$obstacle" ]; then
		say "no chaos in containers: $obstacle"
	else
		(soak_compose 60s --ground compose --out build/soak/ci-compose) || status=1
	fi
	return $status
}

soak_local()
{
	say "soak $*"
	python3 test/chaos/soak.py "$@" --build build
}

soak_usage()
{
	die "usage: ./dev soak DURATION [--ground local|compose] [--scenario sound|minority|majority] [--seed N] [--out DIR]
       ./dev soak ci"
}

soak_verb()
{
	[[ ${1:-} == [0-9]* || ${1:-} == ci ]] || soak_usage
	build_verb
	if [ "$1" = ci ]; then
		soak_ci
	elif [ "$(soak_ground "$@")" = compose ]; then
		soak_compose "$@"
	else
		soak_local "$@"
	fi
}
