# tools/common.sh - what ./dev and .ci/run have in common. Sourced, at the project's root.

say()
{
	printf '== %s\n' "$*"
}

warn()
{
	printf '%s\n' "$*" >&2
}

die()
{
	warn "error: $*"
	exit 1
}

have()
{
	command -v "$1" >/dev/null 2>&1
}

# Everything of ours in C or C++ that is, or would be, under version control.
c_files()
{
	{
		git ls-files --cached --others --exclude-standard -- '*.c' '*.h' '*.cc' 2>/dev/null ||
			find . -path './build*' -prune -o -name '*.[ch]' -print -o -name '*.cc' -print
	} | sort -u | while read -r file; do
		[ ! -e "$file" ] || echo "$file"
	done
}

# Configure a build directory once; afterwards meson itself sees what has changed.
configure()
{
	local dir=$1
	shift
	if [ ! -e "$dir/build.ninja" ]; then
		meson setup "$dir" "$@"
	fi
}
