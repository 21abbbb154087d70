# redlock.fish - completion of redlock(1) for fish.

# Have the NAME and its verb been written?
function __redlock_behind_name
	set -l count 0
	set -l skip no
	for word in (commandline -opc)[2..-1]
		if test $skip = yes
			set skip no
			continue
		end
		switch $word
			case --node --nodes-file --tls-ca --tls-cert --tls-key --key-format --node-timeout \
				--max-ttl --ttl --wait -w --conflict-exit-code -E --min-hold --kill-after --also --permits --stats \
				--command -c
				set skip yes
			case '-*'
			case '*'
				set count (math $count + 1)
		end
	end
	test $count -ge 2
end

set -l verbs run lock extend unlock status cluster help
set -l on_nodes 'not __fish_seen_subcommand_from cluster help'
set -l on_wait '__fish_seen_subcommand_from run lock'
set -l on_ttl '__fish_seen_subcommand_from run lock extend'
set -l on_run '__fish_seen_subcommand_from run'
set -l on_cluster '__fish_seen_subcommand_from cluster'

complete -c redlock -f
complete -c redlock -n "not __fish_seen_subcommand_from $verbs" -a run -d 'run a command under the lock'
complete -c redlock -n "not __fish_seen_subcommand_from $verbs" -a lock -d 'take it, print the owner token'
complete -c redlock -n "not __fish_seen_subcommand_from $verbs" -a extend -d 'renew it'
complete -c redlock -n "not __fish_seen_subcommand_from $verbs" -a unlock -d 'give it back'
complete -c redlock -n "not __fish_seen_subcommand_from $verbs" -a status -d 'how the nodes are, who holds it'
complete -c redlock -n "not __fish_seen_subcommand_from $verbs" -a cluster -d 'local servers for trying it'
complete -c redlock -n "not __fish_seen_subcommand_from $verbs" -a help -d 'print help'
complete -c redlock -n "$on_cluster" -a 'start stop status'
complete -c redlock -n '__fish_seen_subcommand_from help' -a "$verbs"
complete -c redlock -n "$on_run; and __redlock_behind_name" -F -a '(__fish_complete_command)'

complete -c redlock -l json -d 'one JSON object instead of text'
complete -c redlock -s v -l verbose -d 'say what each node did; twice: each decision'
complete -c redlock -s q -l quiet -d 'say nothing but usage errors'
complete -c redlock -s h -l help -d 'print help'
complete -c redlock -s V -l version -d 'print the version'

complete -c redlock -n "$on_nodes" -x -l node -a 'redis:// rediss:// unix:///' -d 'a Redis or Valkey server'
complete -c redlock -n "$on_nodes" -r -F -l nodes-file -d 'read the nodes from a file'
complete -c redlock -n "$on_nodes" -r -F -l tls-ca -d 'whom to trust'
complete -c redlock -n "$on_nodes" -r -F -l tls-cert -d 'our certificate'
complete -c redlock -n "$on_nodes" -r -F -l tls-key -d 'its key'
complete -c redlock -n "$on_nodes" -x -l key-format -d 'key of NAME on the servers'
complete -c redlock -n "$on_nodes" -x -l node-timeout -d 'silence for longer is no vote'
complete -c redlock -n "$on_nodes" -x -l max-ttl -d 'longest TTL that any client uses'
complete -c redlock -n "$on_nodes" -l no-restart-guard -d 'believe a restarted node at once'

complete -c redlock -n "$on_wait" -s n -l no-wait -d 'try once'
complete -c redlock -n "$on_wait" -x -s w -l wait -d 'wait for so long'
complete -c redlock -n "$on_ttl" -x -l ttl -d 'length of the lease'

complete -c redlock -n "$on_run" -x -s E -l conflict-exit-code -d 'exit code instead of 75'
complete -c redlock -n "$on_run" -x -l min-hold -d 'hold the lock for so long at least'
complete -c redlock -n "$on_run" -x -l kill-after -d 'from TERM to KILL when the lock is lost'
complete -c redlock -n "$on_run" -l fence -d 'get a fencing token'
complete -c redlock -n "$on_run" -x -l permits -d 'at most so many commands at once'
complete -c redlock -n "$on_run" -x -l also -d 'take this lock, too: all or none'
complete -c redlock -n "$on_run" -l shared -d 'hold it together with other readers'
complete -c redlock -n "$on_run" -r -F -l stats -d 'keep statistics for Prometheus in a file'
complete -c redlock -n "$on_run" -r -s c -l command -d 'run it with /bin/sh -c'

complete -c redlock -n '__fish_seen_subcommand_from status' -l watch -d 'look again every second'

complete -c redlock -n "$on_cluster" -x -l nodes -d 'how many'
complete -c redlock -n "$on_cluster" -x -l port -d 'port of the first'
complete -c redlock -n "$on_cluster" -r -l dir -a '(__fish_complete_directories)' -d 'where they live'
complete -c redlock -n "$on_cluster" -r -F -l server -d 'program to start'
