# redlock.bash - completion of redlock(1) for bash. Stands alone, with or without bash-completion.

# _redlock_walk - set verb, and name to yes behind the NAME, from the words before the one at hand.
_redlock_walk()
{
	local i word skip=no
	verb= name=no command=
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [ "$skip" = yes ]; then
			# "--option = value": bash breaks words at "=".
			[ "$word" = = ] || skip=no
			continue
		fi
		case $word in
		--node | --nodes-file | --tls-ca | --tls-cert | --tls-key | --key-format | --node-timeout) skip=yes ;;
		--max-ttl | --ttl | --wait | --conflict-exit-code | --min-hold | --kill-after | --stats) skip=yes ;;
		--also | --permits) skip=yes ;;
		--command | --nodes | --port | --dir | --server | -w | -E | -c) skip=yes ;;
		# Breaks words, as in --ttl=5s and redis://host: what follows belongs to it.
		= | :) skip=yes ;;
		--) [ "$name" = no ] || command=${command:-$((i + 1))} ;;
		-*) ;;
		*)
			if [ -z "$verb" ]; then
				verb=$word
			elif [ "$name" = no ]; then
				name=yes
			else
				command=${command:-$i}
			fi
			;;
		esac
		[ -z "$command" ] || break
	done
}

# The values of an option; false if what comes next is no value.
_redlock_value()
{
	case $1 in
	--nodes-file | --tls-ca | --tls-cert | --tls-key | --stats)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		;;
	--dir)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$2")
		;;
	--server | --command | -c) mapfile -t COMPREPLY < <(compgen -c -- "$2") ;;
	--node) mapfile -t COMPREPLY < <(compgen -W "redis:// rediss:// unix:///" -- "$2") ;;
	--key-format | --node-timeout | --max-ttl | --ttl | --wait | -w | --conflict-exit-code | -E) ;;
	--min-hold | --kill-after | --permits | --also | --nodes | --port) ;;
	*) return 1 ;;
	esac
}

_redlock_options()
{
	local output="--json -v --verbose -q --quiet -h --help -V --version"
	local nodes="--node --nodes-file --tls-ca --tls-cert --tls-key --key-format --node-timeout
		--max-ttl --no-restart-guard"
	case $1 in
	run)
		echo "$output $nodes -n --no-wait -w --wait --ttl -E --conflict-exit-code --min-hold
			--kill-after --fence --permits --also --shared --stats -c --command"
		;;
	lock) echo "$output $nodes -n --no-wait -w --wait --ttl" ;;
	extend) echo "$output $nodes --ttl" ;;
	status) echo "$output $nodes --watch" ;;
	cluster) echo "$output --nodes --port --dir --server" ;;
	help) echo "$output" ;;
	*) echo "$output $nodes" ;;
	esac
}

_redlock()
{
	local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local verb name command
	local verbs="run lock extend unlock status cluster help"
	COMPREPLY=()
	[ "$before" != : ] || return
	_redlock_walk
	if [ "$verb" = run ] && [ "$name" = yes ] && [[ -n $command || $cur != -* ]]; then
		if [ "${command:-$COMP_CWORD}" -eq "$COMP_CWORD" ]; then
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		else
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		fi
		return
	fi
	if [ "$cur" = = ]; then
		_redlock_value "$before" ""
		return
	elif [ "$before" = = ]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	_redlock_value "$before" "$cur" && return
	if [[ $cur == -* ]]; then
		[ "$name" = yes ] && [ "$verb" != cluster ] ||
			mapfile -t COMPREPLY < <(compgen -W "$(_redlock_options "$verb")" -- "$cur")
	elif [ -z "$verb" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
	elif [ "$verb" = cluster ] && [ "$name" = no ]; then
		mapfile -t COMPREPLY < <(compgen -W "start stop status" -- "$cur")
	elif [ "$verb" = help ] && [ "$name" = no ]; then
		mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
	fi
}

complete -F _redlock redlock
