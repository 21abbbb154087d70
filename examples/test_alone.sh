#!/bin/sh
# test_alone.sh BUILD_ROOT FIRST_PORT - the programs are built by what their first lines say, and by
# nothing else, in a copy of this folder.
. "$(dirname "$0")/test_lib.sh"

command -v pkg-config >/dev/null || { echo "skipped: there is no pkg-config" && exit 77; }
cp "$(dirname "$0")"/*.c "$(dirname "$0")"/*.h "$(dirname "$0")"/*.cpp "$dir"
cd "$dir" || exit 1
unset REDLOCK_NODES CFLAGS CXXFLAGS

# The command in the first comment; its second line, too, if it is not over.
build_line()
{
	sed -n -E '/^( \*|\/\/)   c(c|\+\+) /{s/^.{3} *//;:more;/\\$/{N;s/\\\n.{3} */ /;bmore};p;q}' "$1"
}

for source in embedding.c nightly.cpp oversell.c threads.c; do
	command=$(build_line "$source")
	case $command in
	c++*) command -v c++ >/dev/null || continue ;;
	esac
	echo "\$ $command"
	# The tree that is built, as if it were installed.
	PKG_CONFIG_PATH=$build/meson-uninstalled sh -euc "$command"
	claim "$source is built" "$?" -eq 0
	LD_LIBRARY_PATH=$build/lib "./${source%.*}" 2>/dev/null
	claim "and says how it is used" $? -eq 64
done
finish
