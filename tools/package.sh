# tools/package.sh - the Debian packages: made in one clean root, tried in another. Sourced after
# common.sh and packages.sh.
#
# Runs as root. A root tree is a tar file in build-package/, made once by mmdebstrap, and unpacked
# for each use. Whatever runs in it ends with it.

package_dir=build-package
package_suite=trixie

# What the tests want, apart from our packages and all that these ask for.
test_depends()
{
	sed -n 's/^Depends: //p' debian/tests/control | tr -d ' ' | tr , '\n' | grep -v redlock | sort -u
}

# clean_run DIR [--alone] COMMAND... - in a root; alone: with no network but its own loopback.
clean_run()
{
	local dir=$1 net=()
	shift
	if [ "$1" = --alone ]; then
		net=(--net)
		shift
	fi
	unshare --mount --pid --fork --kill-child "${net[@]}" sh -euc '
		root=$1 net=$2
		shift 2
		[ -z "$net" ] || ip link set lo up
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
			DEBIAN_FRONTEND=noninteractive DEB_BUILD_PROFILES=nocheck \
			DEB_BUILD_OPTIONS="nocheck parallel=2" \
			chroot "$root" "$@"' sh "$dir" "${net[*]}" "$@"
}

clean_apt()
{
	local dir=$1
	shift
	clean_run "$dir" sh -euc 'apt-get update -q &&
		apt-get -o DPkg::Options::=--force-unsafe-io -o APT::Keep-Downloaded-Packages=false \
			install -y -q --no-install-recommends "$@"' sh "$@"
}

# Unpack a root, for as long as the script runs.
clean_unpack()
{
	local tar=$1 dir=$2
	mkdir -p "$dir"
	tar -C "$dir" --numeric-owner --exclude='./dev/*' -xf "$tar"
	cp -L /etc/resolv.conf /etc/hosts "$dir/etc/"
	printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
	chmod 755 "$dir/usr/sbin/policy-rc.d"
}

# clean_keep DIR TAR
clean_keep()
{
	tar -C "$1" --numeric-owner --exclude='./proc/*' --exclude='./dev/*' \
		--exclude='./var/lib/apt/lists/*' -cf "$2.part" .
	mv "$2.part" "$2"
}

make_tester()
{
	mmdebstrap --quiet --format=tar --variant=apt --dpkgopt=force-unsafe-io \
		--include="$(test_depends | paste -sd,)" \
		"$package_suite" "$package_dir/tester.tar.part" "${REDLOCK_MIRROR:-$(debian_site)}" >"$package_dir/tester.log" 2>&1 &&
		mv "$package_dir/tester.tar.part" "$package_dir/tester.tar"
}

# What debian/control asks for, and no more.
build_depends()
{
	sed -n '/^Build-Depends:/,/^[^ ]*:/{ s/^Build-Depends://; /<!nocheck>/d; /^[A-Z]/d; p; }' \
		debian/control | tr -d ' ' | tr , '\n' | sed 's/-compat(=.*//; s/(.*//' | grep .
}

make_builder()
{
	local dir=$1 wanted
	mapfile -t wanted < <(build_depends)
	clean_unpack "$package_dir/tester.tar" "$dir"
	clean_apt "$dir" build-essential "${wanted[@]}" >"$package_dir/builder.log" 2>&1 &&
		clean_keep "$dir" "$package_dir/builder.tar"
}

# Everything that is, or would be, under version control; debian/ is not part of the original.
source_tree()
{
	local place=$1 name=$2
	git -c safe.directory="$PWD" ls-files -z --cached --others --exclude-standard |
		tar --null --files-from=- --ignore-failed-read --transform "s,^,$name/," -cf - |
		tar -C "$place" -xf -
	tar -C "$place" --exclude="$name/debian" -czf "$place/${name/-/_}.orig.tar.gz" "$name"
}

build_packages()
{
	local dir=$1 name=$2
	mkdir -p "$dir/build"
	source_tree "$dir/build" "$name"
	clean_run "$dir" sh -euc 'chown -R root:root /build && cd "/build/$1" &&
		dpkg-buildpackage -us -uc' sh "$name" >"$package_dir/build.log" 2>&1 || return 1
	rm -rf "$package_dir/out"
	mkdir -p "$package_dir/out"
	find "$dir/build" -maxdepth 1 -type f -exec cp -t "$package_dir/out" {} +
}

# The built packages, and from the mirror what they ask for themselves.
try_packages()
{
	local dir=$1 name=$2 try
	mkdir -p "$dir/try"
	cp "$package_dir"/out/*.deb "$dir/try"
	rm -f "$dir"/try/*-dbgsym_*
	source_tree "$dir/try" "$name"
	clean_apt "$dir" $(cd "$dir" && ls try/*.deb | sed 's,^,/,') \
		>"$package_dir/install.log" 2>&1 || return 1
	for try in $(sed -n 's/^Tests: //p' debian/tests/control); do
		say "debian/tests/$try, on the installed packages alone"
		clean_run "$dir" --alone sh -euc 'cd "$1" && "debian/tests/$2"' sh "/try/$name" "$try" ||
			return 1
	done
}

# said LOG COMMAND... - show the log's end if it fails.
said()
{
	local log=$package_dir/$1.log
	shift
	"$@" || {
		tail -n 40 "$log" >&2
		return 1
	}
}

# Nothing, or why it cannot be done here.
package_obstacle()
{
	if ! have apt-get; then
		echo "no apt-get: this is not Debian"
	elif [ "$(id -u)" != 0 ] && ! have sudo; then
		echo "neither root nor sudo"
	elif ! as_root unshare --mount --pid --fork true 2>/dev/null; then
		echo "no namespace to be had for a root of its own"
	fi
}

package_verb()
{
	local name dir wanted obstacle
	obstacle=$(package_obstacle)
	[ -z "$obstacle" ] || die "$obstacle"
	if [ "$(id -u)" != 0 ]; then
		exec sudo --preserve-env=REDLOCK_MIRROR,TMPDIR ./dev package
	fi
	mapfile -t wanted < <(missing_programs mmdebstrap=mmdebstrap git=git ip=iproute2)
	install_packages "${wanted[@]}"
	name=libredlock-$(sed -n 's/^#define REDLOCK_VERSION "\(.*\)"$/\1/p' include/redlock/redlock.h)
	mkdir -p "$package_dir"
	dir=$(mktemp -d "${TMPDIR:-/tmp}/redlock-package-XXXXXX")
	trap 'rm -rf --one-file-system "$package_work"' EXIT
	package_work=$dir
	if [ ! "$package_dir/tester.tar" -nt debian/tests/control ]; then
		say "a clean root of $package_suite (mmdebstrap), kept in $package_dir/"
		said tester make_tester || die "no root"
	fi
	if [ ! "$package_dir/builder.tar" -nt debian/control ] ||
		[ "$package_dir/tester.tar" -nt "$package_dir/builder.tar" ]; then
		say "another one with what the build needs"
		said builder make_builder "$dir/builder" || die "no root to build in"
	else
		clean_unpack "$package_dir/builder.tar" "$dir/builder"
	fi
	say "building the packages"
	said build build_packages "$dir/builder" "$name" || die "the packages cannot be built"
	say "installing them, and nothing else, into the clean root"
	clean_unpack "$package_dir/tester.tar" "$dir/tester"
	said install try_packages "$dir/tester" "$name" || die "the packages do not work"
	[ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID" "$package_dir"
	(cd "$package_dir/out" && ls -- *.deb *.dsc)
}
