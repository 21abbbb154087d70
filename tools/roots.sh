# tools/roots.sh - tests in another Debian: its compiler, hiredis, OpenSSL and servers. Sourced after
# tests.sh.
#
# A whole small system lies in build-roots/SUITE/system, installed once. What is mounted in it is seen
# by our own processes alone, and goes with them. Needs root, and debootstrap.

roots_home=$PWD/build-roots
root_packages=(gcc libc6-dev meson ninja-build pkgconf libhiredis-dev libuv1-dev check libssl-dev openssl
	ca-certificates redis-server redis-tools valkey-server valkey-tools)

# in_root SUITE COMMAND... - in the tree, as its system sees it.
in_root()
{
	local root=$roots_home/$1/system
	shift
	unshare --mount --propagation private sh -ec '
		root=$1 tree=$2
		shift 2
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mkdir -p "$root$tree"
		mount --bind "$tree" "$root$tree"
		exec chroot "$root" sh -ec "cd \"\$1\"; shift; exec \"\$@\"" sh "$tree" "$@"
	' sh "$root" "$PWD" "$@"
}

root_install()
{
	local suite=$1 root=$roots_home/$1/system site
	site=$(debian_site)
	[ -n "$site" ] || return 1
	debootstrap --variant=minbase "$suite" "$root" "$site" /usr/share/debootstrap/scripts/sid &&
		printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" &&
		chmod 755 "$root/usr/sbin/policy-rc.d" &&
		in_root "$suite" apt-get -q -o Acquire::Check-Valid-Until=false update &&
		in_root "$suite" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
			--no-install-recommends "${root_packages[@]}" &&
		touch "$root/ready"
}

root_get()
{
	local home=$roots_home/$1
	[ ! -e "$home/system/ready" ] || return 0
	[ "$(id -u)" = 0 ] || die "a system of its own is for root to install"
	mapfile -t wanted < <(missing_programs debootstrap=debootstrap)
	install_packages "${wanted[@]}"
	say "installing Debian $1 into $home"
	rm -rf "$home"
	mkdir -p "$home"
	root_install "$1" >"$home/log" 2>&1 || {
		tail -n 20 "$home/log" >&2
		return 1
	}
}

root_build()
{
	local dir=$roots_home/$1/build
	[ -e "$dir/build.ninja" ] || in_root "$1" meson setup "$dir" --werror -Dtls=enabled \
		-Dfuzz=disabled -Dbench=disabled -Dexamples=disabled -Ddocs=disabled || return 1
	in_root "$1" ninja -C "$dir"
}

# root_tests SUITE [MESON-ARG...] - all of it, into the tally that is open.
root_tests()
{
	local suite=$1 name="a build in Debian $1"
	shift
	say "$name"
	if ! root_get "$suite" || ! root_build "$suite"; then
		tally_add failed "$name"
		return 0
	fi
	tally_add passed "$name"
	meson_runner=(in_root "$suite" meson)
	meson_tests_in_shares 4 "$roots_home/$suite/build" "$@"
}
