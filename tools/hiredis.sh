# tools/hiredis.sh - tests with another hiredis than this machine's. Sourced after tests.sh.
#
# Its source comes from Debian, if a suite has that version, else from hiredis's own repository
# (HIREDIS_REPO names another copy of that); it is built with TLS. Everything is kept in
# build-hiredis/VERSION: the source, what is installed of it, and our build on it.

hiredis_home=$PWD/build-hiredis
hiredis_suites=(trixie sid)
hiredis_repo=${HIREDIS_REPO:-https://github.com/redis/hiredis.git}

# hiredis_from_debian VERSION DIR - with package lists of its own: nothing of the machine's changes.
hiredis_from_debian()
{
	local version=$1 dir=$2 lists=$hiredis_home/apt suite site full
	have apt-get && have dpkg-source || return 1
	site=$(debian_site)
	[ -n "$site" ] || return 1
	mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial"
	for suite in "${hiredis_suites[@]}"; do
		echo "deb-src $site $suite main"
	done >"$lists/sources.list"
	local apt=(-q -o "Dir::Etc::sourcelist=$lists/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o "Dir::State::lists=$lists/lists" -o "Dir::Cache=$lists/cache"
		-o Acquire::Check-Valid-Until=false -o "APT::Sandbox::User=$(id -un)")
	apt-get "${apt[@]}" update >"$lists/log" 2>&1 || return 1
	full=$(apt-cache "${apt[@]}" showsrc hiredis 2>/dev/null |
		sed -n "s/^Version: \\($version-.*\\)/\\1/p" | sort -V | tail -n 1)
	[ -n "$full" ] || return 1
	say "hiredis $full, as Debian has it"
	mkdir -p "$dir/deb"
	(cd "$dir/deb" && apt-get "${apt[@]}" source "hiredis=$full") >>"$lists/log" 2>&1 &&
		mv "$dir/deb/hiredis-$version" "$dir/src"
}

hiredis_from_git()
{
	local version=$1 dir=$2
	have git || return 1
	say "hiredis $version from $hiredis_repo"
	git -c advice.detachedHead=false clone -q --depth 1 --branch "v$version" "$hiredis_repo" "$dir/src"
}

# hiredis_get VERSION - have it in its directory.
hiredis_get()
{
	local version=$1 dir=$hiredis_home/$1
	[ ! -e "$dir/prefix/lib/pkgconfig/hiredis_ssl.pc" ] || return 0
	rm -rf "$dir"
	mkdir -p "$dir"
	hiredis_from_debian "$version" "$dir" || hiredis_from_git "$version" "$dir" || {
		warn "there is no hiredis $version: not in Debian (${hiredis_suites[*]}), nor at $hiredis_repo"
		return 1
	}
	# The library's place can come from the environment, too.
	make -s -C "$dir/src" USE_SSL=1 PREFIX="$dir/prefix" LIBRARY_PATH=lib install >"$dir/log" 2>&1 || {
		tail -n 20 "$dir/log" >&2
		return 1
	}
}

hiredis_build()
{
	local dir=$hiredis_home/$1
	export PKG_CONFIG_PATH=$dir/prefix/lib/pkgconfig LD_LIBRARY_PATH=$dir/prefix/lib
	# What hiredis 1.0 says of itself leads to <hiredis/...> only where the compiler looks anyway.
	configure "$dir/build" --werror "-Dc_args=-isystem $dir/prefix/include" -Dtls=enabled \
		-Dcli=disabled -Dfuzz=disabled -Dbench=disabled -Dexamples=disabled -Ddocs=disabled &&
		ninja -C "$dir/build"
}

# hiredis_tests VERSION [MESON-ARG...] - all of it, into the tally that is open.
hiredis_tests()
{
	local version=$1 name="a build on hiredis $1"
	shift
	install_packages $(missing_tls_packages)
	say "$name"
	if ! hiredis_get "$version" || ! (hiredis_build "$version"); then
		tally_add failed "$name"
		return 0
	fi
	tally_add passed "$name"
	meson_tests_in_shares 4 "$hiredis_home/$version/build" "$@"
}
