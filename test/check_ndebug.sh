#!/bin/sh
# The library compiles as cleanly where assert() is nothing: no assertion does work of its own, and
# no variable lives for one alone.
# usage: check_ndebug.sh SOURCE_ROOT CC...
set -eu

root=$1
shift
flags="-DNDEBUG -Wall -Wextra -Wconversion -Wshadow -Werror -fsyntax-only"
for file in "$root"/lib/core/*.c; do
	"$@" -std=gnu11 $flags -I "$root/include" -I "$root/lib" "$file"
done
if grep -nE 'assert\(.*(\+\+|--|[^=!<>]=[^=])' "$root"/lib/*.c "$root"/lib/*/*.c; then
	echo "an assertion changes something" >&2
	exit 1
fi
