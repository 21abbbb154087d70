# tools/servers.sh - servers of other versions than the machine's own: fetch them, and run tests against
# each. Sourced after common.sh, packages.sh and tests.sh.
#
# They are Debian's packages, unpacked with all that they load, their own C library included: they run
# on any machine with apt, beside whatever is installed there.

servers_dir=$PWD/build-servers
servers_mirror=${REDLOCK_DEBIAN_MIRROR:-http://deb.debian.org/debian}
servers_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Name, which is the version that is expected; Debian's release, or several; package.
servers_table='
redis-7.0   bookworm          redis-tools
redis-8.0   trixie            redis-tools
redis-8.6   sid+experimental  redis-tools/experimental
valkey-8.1  trixie            valkey-tools
valkey-9.1  forky             valkey-tools
'

servers_names()
{
	awk 'NF { print $1 }' <<<"$servers_table"
}

# servers_line NAME - its release and package.
servers_line()
{
	awk -v name="$1" '$1 == name { print $2, $3; found = 1 } END { exit !found }' <<<"$servers_table" ||
		die "there is no server '$1': $(servers_names | xargs), or all"
}

# servers_named NAME|all
servers_named()
{
	case "$1" in
	all) servers_names | xargs ;;
	*) servers_line "$1" >/dev/null && echo "$1" ;;
	esac
}

# An apt of its own for each release: no list and no setting of the machine's own apt is changed.
servers_apt()
{
	local release=$1 state=$servers_dir/apt-$1
	shift
	apt-get -qq -o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::Cache="$state" \
		-o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o APT::Architectures::="$(dpkg --print-architecture)" -o APT::Sandbox::User= \
		-o Acquire::Languages=none -o Acquire::Check-Valid-Until=false \
		-o APT::Install-Recommends=false -o APT::Update::Error-Mode=any "$@"
}

# Fetch a release's list of packages, as if nothing were installed.
servers_lists()
{
	local release=$1 state=$servers_dir/apt-$1 each
	mkdir -p "$state/lists/partial" "$state/archives/partial"
	: >"$state/status"
	for each in ${release//+/ }; do
		echo "deb [signed-by=$servers_keyring] $servers_mirror $each main"
	done >"$state/sources.list"
	servers_apt "$release" update
}

# servers_program NEW NAME KIND - the server in what is unpacked there, with its own libraries. In Debian's
# packages it is the program that checks its files; which of the two it is to be, it learns from its name.
servers_program()
{
	local new=$1 at=$servers_dir/$2/tree kind=$3 loader libraries
	loader=$(cd "$new/tree" && find . -name 'ld-linux*.so.*' | sort | head -n 1)
	libraries=$(cd "$new/tree" && find . -path ./usr/share -prune -o -name 'lib*.so.*' -printf '%h\n' | sort -u)
	[ -n "$loader" ] || return 1
	cp "$new/tree/usr/bin/$kind-check-rdb" "$new/tree/$kind-server" || return 1
	tools/own_loader.py "$new/tree/$kind-server" "$at/$loader" || return 1
	cat >"$new/bin/redis-server" <<END
#!/bin/sh
export LD_LIBRARY_PATH="$(sed "s|^.|$at|" <<<"$libraries" | paste -sd:)"
exec "$at/$kind-server" "\$@"
END
	chmod 755 "$new/bin/redis-server"
	ln -s redis-server "$new/bin/valkey-server"
}

# servers_fetch NAME - get the packages and unpack them; what is there already stays. Under both names,
# since the tool takes a redis-server before a valkey-server.
servers_fetch()
{
	local name=$1 to=$servers_dir/$1 new=$servers_dir/$1.new release package each
	[ ! -e "$to/bin/redis-server" ] || return 0
	have apt-get && have dpkg-deb || die "servers of other versions are Debian's packages: apt-get and dpkg-deb are needed"
	[ -e "$servers_keyring" ] || install_packages debian-archive-keyring
	read -r release package <<<"$(servers_line "$name")"
	say "fetching $name (Debian's $package, from $release)"
	rm -rf "$new"
	mkdir -p "$new/tree" "$new/bin" "$new/packages/partial"
	servers_lists "$release" || return 1
	servers_apt "$release" -y --download-only -o Dir::Cache::archives="$new/packages" \
		install "$package" >/dev/null || return 1
	for each in "$new"/packages/*.deb; do
		dpkg-deb -x "$each" "$new/tree" || return 1
	done
	rm -rf "$new/packages"
	servers_program "$new" "$name" "${package%%-*}" || return 1
	rm -rf "$to"
	mv "$new" "$to"
}

# servers_told NAME - what the server says it is, as in valkey-9.1.2.
servers_told()
{
	local dir info
	dir=$(mktemp -d /tmp/redlock-server-XXXXXX)
	"$servers_dir/$1/bin/redis-server" --port 0 --unixsocket "$dir/sock" --save '' --dir "$dir" \
		--daemonize yes --logfile "$dir/log" >/dev/null
	for _ in {1..100}; do
		info=$(redis-cli -s "$dir/sock" INFO server 2>/dev/null | tr -d '\r') && [ -n "$info" ] && break
		sleep 0.1
	done
	redis-cli -s "$dir/sock" SHUTDOWN NOSAVE >/dev/null 2>&1 || true
	rm -rf "$dir"
	# Valkey names a redis_version as well, for clients that look for nothing else.
	sed -n 's/^valkey_version:/valkey-/p; s/^redis_version:/redis-/p' <<<"$info" | sort | tail -n 1
}

# Run a command on loopback ports of its own; which suites use them is fixed.
servers_apart()
{
	local user=()
	[ "$(id -u)" = 0 ] || user=(-r)
	unshare "${user[@]}" -n sh -c 'ip link set lo up && exec "$@"' sh "$@"
}

# servers_run NAME COMMAND... - meson's log of the run tells how it went, this only how long it took.
servers_run()
{
	local name=$1 bin=$servers_dir/$1/bin start=$SECONDS
	shift
	REDLOCK_TEST_SERVER=$bin/redis-server PATH=$bin:$PATH "$@" >"$servers_dir/$name.out" 2>&1 || true
	echo $((SECONDS - start)) >"$servers_dir/$name.seconds"
}

# servers_count NAME WORD - so many are that in its part of the tally.
servers_count()
{
	awk -v word="$2" '$1 == word { sum += $2 } END { print sum + 0 }' "$servers_dir/$1.tally"
}

# servers_sum NAME TOLD - its part of the tally, under its name, and its row of the table.
servers_sum()
{
	local name=$1 told=$2
	tools/tally.py log "build/meson-logs/server-$name.json" >"$servers_dir/$name.tally"
	sed -E "s|^([a-z]+ [0-9]+ )|\\1$told: |" "$servers_dir/$name.tally" >>"$tally"
	[ "$(servers_count "$name" failed)" = 0 ] || cat "$servers_dir/$name.out"
	printf '%-14s %7s %7s %8s %6s s\n' "$told" "$(servers_count "$name" passed)" \
		"$(servers_count "$name" failed)" "$(servers_count "$name" skipped)" \
		"$(cat "$servers_dir/$name.seconds")" >>"$servers_dir/table"
}

# servers_test NAMES SUITE... - all at once where each can have ports of its own. What cannot be had, or
# is not what its name says, has failed.
servers_test()
{
	local names=$1 suites=() good=() told name apart='' all=''
	local -A versions=()
	shift
	for name in "$@"; do
		suites+=(--suite "$name")
	done
	servers_apart true 2>/dev/null && apart=servers_apart
	for name in $names; do
		if ! servers_fetch "$name"; then
			tally_add failed "$name: it could not be fetched"
			continue
		fi
		told=$(servers_told "$name")
		if [[ $told != "$name".* ]]; then
			tally_add failed "$name: the server says that it is '$told'; see the table in tools/servers.sh"
			continue
		fi
		versions[$name]=$told
		all+=" $told"
		good+=("$name")
	done
	[ ${#good[@]} -gt 0 ] || return 0
	say "tests of the suites $* against$all${apart:+, all at once}"
	for name in "${good[@]}"; do
		rm -f "build/meson-logs/server-$name.json"
		servers_run "$name" $apart meson test -C build --no-rebuild --print-errorlogs \
			--logbase "server-$name" "${suites[@]}" &
		[ -n "$apart" ] || wait $!
	done
	wait
	: >"$servers_dir/table"
	for name in "${good[@]}"; do
		servers_sum "$name" "${versions[$name]}"
	done
	printf '%-14s %7s %7s %8s %8s\n' server passed failed skipped time
	cat "$servers_dir/table"
}
