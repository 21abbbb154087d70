#!/bin/sh
# handover.sh - a lock that is taken in one step of a pipeline and given back in a later one.
#
#   handover.sh begin NAME        before the first step; waits for its turn
#   handover.sh check NAME        before each step that would do harm if two did it; renews the lease
#   handover.sh end NAME          after the last step
#
# The owner token goes from step to step in a file that only we can read (LOCK_DIR, default: the
# current directory). It is what makes the lock ours: with another token nothing is given back, and
# neither with ours when the lease has ended and somebody else has the lock.
#
# What to set: REDLOCK_NODES; LOCK_TTL, the lease, longer than any step; LOCK_WAIT. Ends with 0, or
# as redlock does: 75 another one has it, 69 too few nodes: try again, 79 it is not ours any more.
set -u

redlock=${REDLOCK:-redlock}

if [ $# -ne 2 ]; then
	echo "usage: handover.sh begin|check|end NAME" >&2
	exit 64
fi
name=$2
token=${LOCK_DIR:-.}/$name.token

# Ours, if it ever was.
need_token()
{
	if ! [ -r "$token" ]; then
		echo "handover.sh: $name: not begun, or ended" >&2
		exit 79
	fi
}

case $1 in
begin)
	umask 077
	"$redlock" lock -w "${LOCK_WAIT:-10m}" --ttl "${LOCK_TTL:-50s}" "$name" >"$token.new" ||
		exit
	mv "$token.new" "$token"
	;;
check)
	need_token
	"$redlock" extend --ttl "${LOCK_TTL:-50s}" "$name" - <"$token"
	;;
end)
	need_token
	"$redlock" unlock "$name" - <"$token"
	code=$?
	[ $code = 69 ] || rm -f "$token"
	exit $code
	;;
*)
	echo "handover.sh: begin, check or end, not $1" >&2
	exit 64
	;;
esac
