#!/bin/sh
# test_go.sh BUILD_ROOT FIRST_PORT - the Go bindings, with the race detector, and their program.
. "$(dirname "$0")/test_lib.sh"

command -v go >/dev/null || { echo "skipped: there is no Go toolchain" && exit 77; }
command -v pkg-config >/dev/null || { echo "skipped: there is no pkg-config" && exit 77; }
cd "$(dirname "$0")/go" || exit 1
start_cluster 3

# The tree that is built, as if it were installed. Go does not see when a header changes, but
# when a flag does.
PKG_CONFIG_PATH=$build/meson-uninstalled
LD_LIBRARY_PATH=$build/lib
CGO_CFLAGS="-O2 -g -DHEADERS=$(cat ../../include/redlock/*.h | cksum | cut -d ' ' -f 1)"
GOTOOLCHAIN=local
GOFLAGS=-mod=mod
GOPROXY=off
export PKG_CONFIG_PATH LD_LIBRARY_PATH CGO_CFLAGS GOTOOLCHAIN GOFLAGS GOPROXY

claim "as gofmt has it" -z "$(gofmt -l .)"
go vet ./...
claim "go vet has nothing to say" $? -eq 0
go test -race -count=1 -v .
claim "the tests pass, without a race" $? -eq 0
go build -buildvcs=false -o "$dir/nightly" ./nightly
claim "the program is built" $? -eq 0

out=$("$dir/nightly")
claim "it does its job" "$? $(echo $out)" = "0 step 1 step 2 step 3 step 4 step 5"
"$redlock" run -w 5s nightly-report -- sleep 60 &
holder=$!
children=$holder
until "$redlock" status --json nightly-report | grep -q '"held": *true'; do
	sleep 0.2
done
"$dir/nightly" 2>"$dir/error" &
waiter=$!
sleep 0.5
kill -INT "$waiter"
wait "$waiter"
claim "a signal ends its wait" "$?$(grep -c 'cancelled' "$dir/error")" = "11"
"$dir/nightly" 2>"$dir/error"
claim "its patience ends, too" "$?$(grep -c 'still held by another' "$dir/error")" = "11"
kill "$holder"
wait "$holder"
finish
