# tools/cluster.sh - the five masters of docker-compose.yml. Sourced after common.sh.

cluster_project=libredlock
cluster_local_image=libredlock/redis:local
cluster_default_image=redis:8
cluster_start_seconds=120
cluster_lock=/tmp/libredlock-cluster.lock

# Why there can be no cluster on this machine; nothing if there can.
cluster_obstacle()
{
	if ! have docker; then
		echo "there is no docker command"
	elif ! timeout 20 docker info >/dev/null 2>&1; then
		echo "no Docker engine answers (does it run? may this user use it?)"
	elif ! docker compose version >/dev/null 2>&1 && ! have docker-compose; then
		echo "there is neither docker compose nor docker-compose"
	fi
}

# The same where another program has one of the ports.
cluster_port_obstacle()
{
	local port
	if [ -n "$(cluster_containers)" ]; then
		return
	fi
	for port in {6401..6405}; do
		if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			echo "another program listens on 127.0.0.1:$port"
			return
		fi
	done
}

cluster_needs_docker()
{
	local obstacle
	obstacle=$(cluster_obstacle)
	if [ -n "$obstacle" ]; then
		die "$obstacle"
	fi
}

compose()
{
	if docker compose version >/dev/null 2>&1; then
		docker compose -p "$cluster_project" "$@"
	else
		docker-compose -p "$cluster_project" "$@"
	fi
}

have_image()
{
	docker image inspect "$1" >/dev/null 2>&1
}

# Settle on an image: the caller's, or redis:8, or one of this machine's own redis-server.
cluster_choose_image()
{
	if [ -n "${REDLOCK_REDIS_IMAGE:-}" ]; then
		say "nodes run the image $REDLOCK_REDIS_IMAGE"
	elif have_image "$cluster_default_image" ||
		timeout 120 docker pull -q "$cluster_default_image" >/dev/null 2>&1; then
		REDLOCK_REDIS_IMAGE=$cluster_default_image
		say "nodes run the image $REDLOCK_REDIS_IMAGE"
	else
		REDLOCK_REDIS_IMAGE=$cluster_local_image
		say "no image $cluster_default_image here, and it cannot be pulled: using $REDLOCK_REDIS_IMAGE"
		have_image "$REDLOCK_REDIS_IMAGE" || tools/local-image "$REDLOCK_REDIS_IMAGE"
	fi
	export REDLOCK_REDIS_IMAGE
}

# Containers of the project, whatever their state.
cluster_containers()
{
	docker ps -aq --filter "label=com.docker.compose.project=$cluster_project"
}

cluster_healthy()
{
	local count
	count=$(docker ps -q --filter "label=com.docker.compose.project=$cluster_project" \
		--filter health=healthy | wc -l)
	[ "$count" = 5 ]
}

cluster_wait()
{
	local end=$((SECONDS + cluster_start_seconds))
	until cluster_healthy; do
		if [ $SECONDS -ge $end ]; then
			compose ps >&2
			warn "the five nodes are not healthy after $cluster_start_seconds s"
			return 1
		fi
		sleep 0.5
	done
}

# The containers' names and ports are one for the whole machine: two runs of the tests, from two
# checkouts, take turns. Where there can be no such file, there is no such promise.
cluster_take_turn()
{
	if ! have flock || ! { exec 9>>"$cluster_lock"; } 2>/dev/null; then
		return 0
	fi
	if ! flock -n 9; then
		say "waiting for another run's cluster to be free ($cluster_lock)"
		flock 9
	fi
}

cluster_end_turn()
{
	exec 9>&-
}

# compose, heard only when it fails.
compose_quietly()
{
	local said
	if ! said=$(compose "$@" 2>&1); then
		warn "$said"
		return 1
	fi
}

cluster_up()
{
	cluster_choose_image
	say "starting five masters in containers"
	if ! compose_quietly up -d; then
		warn "if 10.83.64.0/24 is in use here, set REDLOCK_SUBNET, as in REDLOCK_SUBNET=10.99.7"
		return 1
	fi
	cluster_wait
}

# Containers, network and data.
cluster_down()
{
	say "removing the containers and their data"
	compose_quietly down --volumes --timeout 5
}

cluster_urls()
{
	echo redis://127.0.0.1:{6401..6405}
}

cluster_verb()
{
	local verb=${1:-help}
	if [ $# -gt 0 ]; then
		shift
	fi
	case "$verb" in
	image | up | down | status | logs) cluster_needs_docker ;;
	esac
	case "$verb" in
	image) tools/local-image "${1:-$cluster_local_image}" ;;
	up)
		cluster_up
		say "five masters are up: export REDLOCK_NODES=\"$(cluster_urls)\""
		;;
	down) cluster_down ;;
	status) compose ps ;;
	logs) compose logs "$@" ;;
	*)
		warn "usage: ./dev cluster image [TAG] | up | down | status | logs [NODE]"
		return 2
		;;
	esac
}
