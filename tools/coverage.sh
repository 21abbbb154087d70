# tools/coverage.sh - how much of lib/core the tests without I/O run. Sourced after common.sh and
# packages.sh.

coverage_dir=build-coverage
coverage_lines=95
coverage_branches=85
coverage_schedules=5000

# Not optimised, so that a line is a line; assertions count like any other branch.
coverage_run()
{
	CC=gcc configure "$coverage_dir" -Db_coverage=true -Dbuildtype=debug -Dcli=disabled \
		-Dbench=disabled -Dexamples=disabled -Ddocs=disabled -Dfuzz=disabled || return 1
	find "$coverage_dir" -name '*.gcda' -delete
	# Always the same schedules: the figures are to depend on the code alone.
	SIM_SCHEDULES=$coverage_schedules SIM_SEED=1 \
		meson test -C "$coverage_dir" --print-errorlogs --suite unit --suite sim
}

# Both tables; false if one of them is below the bar. The tests' own objects count for the headers.
coverage_tell()
{
	local data=$coverage_dir/coverage.json
	gcovr --root . --filter lib/core/ --json "$data" "$coverage_dir/lib" \
		"$coverage_dir/test/sim/libsim.a.p" || return 1
	gcovr --root . --add-tracefile "$data" --fail-under-line "$coverage_lines" || return 1
	gcovr --root . --add-tracefile "$data" --branches --fail-under-branch "$coverage_branches"
}

coverage()
{
	local wanted
	mapfile -t wanted < <(missing_programs gcc=gcc gcovr=gcovr)
	install_packages "${wanted[@]}"
	coverage_run && coverage_tell
}
