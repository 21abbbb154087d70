#!/bin/sh
# Build and install into an empty tree, as a packager does; then build programs in C and C++ on that
# tree by pkg-config alone, shared and static, and run them.
# usage: check_install.sh SOURCE_ROOT CC... [-- CXX...]
set -eu

source=$1
shift
cc=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	cc="$cc $1"
	shift
done
[ $# -eq 0 ] || shift
cxx="$*"

dir=$(mktemp -d "${TMPDIR:-/tmp}/redlock-install-XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
tree=$dir/tree
here=$source/test/install

install_tree()
{
	meson setup "$dir/build" "$source" --prefix "$tree" --libdir lib \
		-Dtests=disabled -Dbench=disabled -Dexamples=disabled >"$dir/log" &&
		ninja -C "$dir/build" -j2 install >>"$dir/log"
}

# consumer NAME COMPILER... - from consumer.NAME, with what pkg-config says and nothing else.
consumer()
{
	suffix=$1
	shift
	"$@" -o "$dir/consumer" "$here/consumer.$suffix" \
		$(pkg-config $static --cflags --libs redlock libuv)
	LD_LIBRARY_PATH=$tree/lib "$dir/consumer"
}

consumers()
{
	consumer c $cc -std=gnu11 -Wall -Wextra -Werror
	[ -z "$cxx" ] || consumer cc $cxx -std=c++11 -Wall -Wextra -Werror
}

if ! install_tree; then
	tail -n 50 "$dir/log"
	exit 1
fi
(cd "$tree" && find . -type f -o -type l | sort)
PKG_CONFIG_PATH=$tree/lib/pkgconfig
export PKG_CONFIG_PATH

echo "shared:"
static=
consumers
if [ -x "$tree/bin/redlock" ]; then
	LD_LIBRARY_PATH=$tree/lib "$tree/bin/redlock" --version
fi

# What our own .pc file names must be there to be linked statically: that is the system's part.
foreign_links()
{
	echo 'int main(void) { return 0; }' >"$dir/empty.c"
	$cc -o "$dir/empty" "$dir/empty.c" $(pkg-config --static --libs \
		$(pkg-config --print-requires-private redlock | sed 's/ .*//'))
}

echo "static:"
if ! foreign_links; then
	echo "not tried: this system cannot link its own libraries as their .pc files say"
	exit 0
fi
rm "$tree"/lib/libredlock.so*
static=--static
consumers
