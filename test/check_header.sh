#!/bin/sh
# Each public header compiles alone, and twice, as C99 and as C++, with nothing to complain about.
# usage: check_header.sh INCLUDE_DIR CC... [-- CXX...]
set -eu

include=$1
shift
cc=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	cc="$cc $1"
	shift
done
[ $# -eq 0 ] || shift
cxx="$*"

strict='-pedantic-errors -Wall -Wextra -Wconversion -Wshadow -Wundef -Werror -fsyntax-only'
for header in "$include"/redlock/*.h; do
	name="redlock/${header##*/}"
	printf '#include <%s>\n#include <%s>\n' "$name" "$name" |
		$cc -x c -std=c99 -Wstrict-prototypes $strict -I "$include" -
	echo "<$name> is C99"
done
[ -n "$cxx" ] || exit 0
for header in "$include"/redlock/*.h "$include"/redlock/*.hpp; do
	name="redlock/${header##*/}"
	printf '#include <%s>\n#include <%s>\n' "$name" "$name" |
		$cxx -x c++ -std=c++11 $strict -I "$include" -
	echo "<$name> is C++11"
done
