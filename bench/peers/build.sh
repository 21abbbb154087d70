#!/usr/bin/env bash
# build.sh - build the peers. Exits with 77, and tells why, where this machine cannot.
#
# usage: build.sh PROGRAM [--test]
# With --test their own tests, gofmt and go vet have to pass, too.
set -euo pipefail

MODULES_PATIENCE_S=120

skip()
{
	echo "the peers are skipped: $1"
	exit 77
}

if [ $# = 0 ]; then
	echo "usage: build.sh PROGRAM [--test]" >&2
	exit 64
fi
program=$(realpath -m "$1")
cd "$(dirname "$(readlink -f "$0")")"

# No other toolchain is fetched for them.
export GOTOOLCHAIN=${GOTOOLCHAIN:-local}

command -v go >/dev/null || skip "there is no Go toolchain"
# What was fetched once is not asked for again. Modules that are not what go.sum says are a failure.
if ! told=$(timeout "$MODULES_PATIENCE_S" go mod download 2>&1); then
	case "$told" in
	*'SECURITY ERROR'*)
		echo "$told" >&2
		exit 1
		;;
	esac
	skip "Go does not get their modules: $(printf '%s\n' "$told" | tail -n 1)"
fi
if [ "${2:-}" = --test ]; then
	unformatted=$(gofmt -l .)
	if [ -n "$unformatted" ]; then
		echo "not as gofmt has it: $unformatted" >&2
		exit 1
	fi
	go vet .
	go test .
fi
go build -buildvcs=false -o "$program" .
