# tools/packages.sh - install what is missing, and nothing else. Sourced after common.sh.

# The Debian and Ubuntu names of what a build and its tests need and this machine has not got.
missing_packages()
{
	have cc || echo build-essential
	have meson || echo meson
	have ninja || echo ninja-build
	have python3 || echo python3
	if have pkg-config; then
		pkg-config --exists 'hiredis >= 0.14.1' || echo libhiredis-dev
		pkg-config --exists 'libuv >= 1.43' || echo libuv1-dev
		pkg-config --exists 'check >= 0.15' || echo check
		# Where hiredis can do TLS, so can we; its tests make certificates.
		! pkg-config --exists 'hiredis_ssl >= 1.0' || missing_tls_packages
	else
		echo pkgconf libhiredis-dev libuv1-dev check
	fi
	have redis-server || echo redis-server
	have redis-cli || echo redis-tools
}

missing_tls_packages()
{
	pkg-config --exists openssl || echo libssl-dev
	have openssl || echo openssl
	# What OpenSSL itself names for a static link, and its package does not bring.
	case "$(pkg-config --static --libs openssl 2>/dev/null) " in
	*'-lz '*) pkg-config --exists zlib || echo zlib1g-dev ;;
	esac
	case "$(pkg-config --static --libs openssl 2>/dev/null) " in
	*'-lzstd '*) pkg-config --exists libzstd || echo libzstd-dev ;;
	esac
}

# The same for the programs named, each with the package that brings it: clang=clang.
missing_programs()
{
	local pair
	for pair in "$@"; do
		have "${pair%%=*}" || echo "${pair#*=}"
	done
}

# Another library that wants the same locks, for the tests: what Debian's own Python can see is there.
missing_neighbours()
{
	local python
	for python in python3 /usr/bin/python3; do
		! "$python" -c 'import redis.lock' 2>/dev/null || return 0
	done
	echo python3-redis
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Debian starts a service as soon as it is installed; we want the program only. An existing policy
# is the machine's own, and stays.
policy=/usr/sbin/policy-rc.d

forbid_services()
{
	if [ -e "$policy" ]; then
		return 1
	fi
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
	as_root chmod 755 "$policy"
}

apt_get_install()
{
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
		install -y -q --no-install-recommends "$@"
}

# What an installation that was cut off has left behind keeps every later one from starting; apt-get
# names the remedy.
apt_repair()
{
	as_root env DEBIAN_FRONTEND=noninteractive dpkg --force-confold --configure -a
}

apt_install()
{
	local status=0 forbidden=no
	as_root apt-get update -q || warn "the package lists could not be renewed; going on"
	if forbid_services; then
		forbidden=yes
		trap 'as_root rm -f "$policy"' EXIT
	fi
	if ! apt_get_install "$@"; then
		warn "once more, after dpkg --configure -a"
		{ apt_repair && apt_get_install "$@"; } || status=$?
	fi
	if [ "$forbidden" = yes ]; then
		as_root rm -f "$policy"
		trap - EXIT
	fi
	return "$status"
}

# Nor is it to start with the machine from now on.
disable_new_service()
{
	if [ -d /run/systemd/system ] && have systemctl; then
		as_root systemctl disable --quiet "$1.service" || true
	fi
}

install_packages()
{
	local wanted=("$@")
	if [ ${#wanted[@]} = 0 ]; then
		return 0
	fi
	if ! have apt-get; then
		die "this needs, under your system's names for them: ${wanted[*]}"
	fi
	if [ "$(id -u)" != 0 ] && ! have sudo; then
		die "run this as root first: apt-get install ${wanted[*]}"
	fi
	say "installing ${wanted[*]} (apt-get)"
	apt_install "${wanted[@]}" || die "apt-get could not install ${wanted[*]}"
	case " ${wanted[*]} " in
	*' redis-server '*) disable_new_service redis-server ;;
	esac
}

# Step by step: what hiredis can do, and what OpenSSL needs, is known once they are there.
install_missing()
{
	local wanted pass
	for pass in 1 2 3; do
		mapfile -t wanted < <(missing_packages | tr ' ' '\n')
		install_packages "${wanted[@]}"
	done
}

# Where this machine gets its Debian packages from; nothing, if it does not.
debian_site()
{
	local pass site
	have apt-get || return 0
	for pass in 1 2; do
		site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' \
			2>/dev/null | grep -v security | sed 1q)
		# It is not known before there are lists.
		[ -z "$site" ] && [ $pass = 1 ] || break
		as_root apt-get update -q >/dev/null 2>&1 || break
	done
	echo "$site"
}
