# tools/fuzz.sh - the fuzzers, for a while. Sourced after common.sh and packages.sh.

fuzz_dir=build-fuzz
fuzz_found=$fuzz_dir/found

fuzz_targets()
{
	ls test/fuzz/corpus
}

# Debian's clang does without its runtime; where that is depends on the version.
fuzz_runtime()
{
	local major
	if have clang && ! [ -e "$(clang -print-file-name="libclang_rt.fuzzer-$(uname -m).a")" ]; then
		major=$(clang -dumpversion)
		echo "libclang-rt-${major%%.*}-dev"
	fi
}

fuzz_build()
{
	local wanted target programs=()
	mapfile -t wanted < <(missing_programs clang=clang)
	install_packages "${wanted[@]}"
	mapfile -t wanted < <(fuzz_runtime)
	install_packages "${wanted[@]}"
	CC=clang configure "$fuzz_dir" -Dfuzz=enabled -Dcli=disabled -Dbench=disabled \
		-Dexamples=disabled -Ddocs=disabled
	for target in $(fuzz_targets); do
		programs+=("test/fuzz/fuzz_$target")
	done
	ninja -C "$fuzz_dir" "${programs[@]}"
}

# fuzz_one TARGET SECONDS - false if something was found. What it learnt stays for the next time.
fuzz_one()
{
	local target=$1 seconds=$2 status=0 log=$fuzz_dir/fuzz-$1.log
	mkdir -p "$fuzz_dir/corpus/$target" "$fuzz_found"
	"$fuzz_dir/test/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=4096 -timeout=20 \
		-dict="test/fuzz/dict/$target.dict" -artifact_prefix="$fuzz_found/$target-" \
		-print_final_stats=1 "$fuzz_dir/corpus/$target" "test/fuzz/corpus/$target" \
		>"$log" 2>&1 || status=$?
	if [ $status = 0 ]; then
		printf '%s: %s inputs, %s edges, nothing found\n' "$target" \
			"$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
			"$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)"
		return
	fi
	grep -m 1 -E 'does not hold|runtime error|ERROR: ' "$log" || tail -n 20 "$log"
	printf '%s: FOUND, and told in %s. The input is here:\n' "$target" "$log"
	sed -n 's/.*Test unit written to /	/p' "$log"
	printf '	see it again:  %s/test/fuzz/fuzz_%s FILE\n' "$fuzz_dir" "$target"
	printf '	once mended:   keep it in test/fuzz/corpus/%s/\n' "$target"
	return 1
}

# fuzz_all SECONDS TARGET... - two at a time; false if one of them found something.
fuzz_all()
{
	local seconds=$1 target running=0 bad=0
	shift
	for target in "$@"; do
		if [ $running = 2 ]; then
			wait -n || bad=1
			running=1
		fi
		fuzz_one "$target" "$seconds" &
		running=$((running + 1))
	done
	while [ $running -gt 0 ]; do
		wait -n || bad=1
		running=$((running - 1))
	done
	return $bad
}

# fuzz_verb [SECONDS] [TARGET...]
fuzz_verb()
{
	local seconds=60 targets=() target
	if [[ ${1:-} =~ ^[1-9][0-9]*$ ]]; then
		seconds=$1
		shift
	fi
	targets=("$@")
	if [ ${#targets[@]} = 0 ]; then
		mapfile -t targets < <(fuzz_targets)
	fi
	for target in "${targets[@]}"; do
		[ -d "test/fuzz/corpus/$target" ] || die "there is no target '$target': $(fuzz_targets | xargs)"
	done
	install_missing
	fuzz_build
	say "$seconds s for each of ${targets[*]}"
	fuzz_all "$seconds" "${targets[@]}"
}
