# tools/model.sh - search the models of the rules from end to end. Sourced after common.sh and
# packages.sh.

models=docs/model

# model_run MEMORY-MB EXPECTED MODEL SWITCH... - one line; false if it is not what is expected.
model_run()
{
	local memory=$1 expected=$2 model=$3 dir found states seconds
	shift 3
	dir=$(mktemp -d /tmp/redlock-model-XXXXXX)
	cp "$models/$model.pml" "$dir"
	found=$(
		cd "$dir"
		spin "$@" -a "$model.pml" >said 2>&1 &&
			gcc -O2 -w -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -DMEMLIM="$memory" -o pan pan.c >said 2>&1 &&
			bash -c 'TIMEFORMAT=%R; time ./pan -E -m100000 -w22 >found 2>&1' 2>seconds
		# Only a search that came to its end, with all of it seen, has shown that nothing is wrong.
		if grep -q 'assertion violated' found; then
			echo fails
		elif grep -q 'errors: 0' found && ! grep -q -E 'depth too small|Search not completed' found; then
			echo holds
		else
			echo 'no verdict'
			cat said found >&2
		fi
	)
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$dir/found")
	seconds=$(tail -n 1 "$dir/seconds")
	if [ "$found" = fails ] && [ -n "${MODEL_TRAIL:-}" ]; then
		(cd "$dir" && spin "$@" -t "$model.pml" | sed -n '/^spin:/q; s/^ *//p')
	fi
	rm -rf "$dir"
	printf '%-7s %9s states %6s s  %s %s\n' "$found" "$states" "$seconds" "$model" "$*"
	if [ "$found" != "$expected" ]; then
		printf 'WRONG: expected that it %s: %s %s\n' "$expected" "$model" "$*"
		return 1
	fi
}

# model_all yes|no - all of the table, or what takes seconds; two at a time.
model_all()
{
	local all=$1 memory=1900 expected when model rule switches running=0 bad=0
	[ "$all" = no ] || memory=4000
	while IFS='|' read -r expected when model switches rule; do
		read -r expected when model <<<"$expected $when $model"
		if [[ $expected != @(holds|fails) ]] || { [ "$all" = no ] && [ "$when" = long ]; }; then
			continue
		fi
		if [ $running = 2 ]; then
			wait -n || bad=1
			running=1
		fi
		# shellcheck disable=SC2086
		model_run $memory "$expected" "$model" $switches &
		running=$((running + 1))
	done <"$models/table.txt"
	while [ $running -gt 0 ]; do
		wait -n || bad=1
		running=$((running - 1))
	done
	return $bad
}

# model_verb [--all] | model_verb MODEL SWITCH...
model_verb()
{
	local wanted
	mapfile -t wanted < <(missing_programs spin=spin gcc=gcc)
	install_packages "${wanted[@]}"
	case "${1:-}" in
	'') model_all no ;;
	--all) model_all yes ;;
	*)
		[ -e "$models/$1.pml" ] || die "usage: ./dev model [--all | MODEL SWITCH...]"
		MODEL_TRAIL=yes model_run 4000 fails "$@" || true
		;;
	esac
}
