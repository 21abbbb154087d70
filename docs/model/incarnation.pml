/* incarnation.pml - one node, its restarts, and whether what it remembers is believed.
 *
 * The node grants a lease of TTL ticks, and may forget that it did. A client that
 * connects reads, or opens, the node's incarnation: process, birth, and whether
 * every write was synced when that was written down. It believes the node's vote
 * once it is GUARD ticks old.
 *
 * Checked: whenever a client believes the node, it has forgotten no lease that is
 * not over.
 *
 *   The node restarts with all of its data, with an older state of it, or with none,
 *   and may be synced (appendfsync always) or not; it may begin to be, and end, once.
 *   While it is synced it never comes back with an older state: all, or none.
 *   GUARD=n        how old a node has to be to be believed
 *   ANY_PROCESS    another process's birth is believed
 *   SYNCED_NOW     another process's birth is believed if the node is synced now
 *   SYNCED_THEN    ... if it was synced when the birth was written down
 *                  (without these three: if both, as it has to be)
 *   SYNC_AGAIN     a node begins to sync that has done so before, and has ended to */
#ifndef TTL
#define TTL 2
#endif
#ifndef GUARD
#define GUARD TTL
#endif
#ifndef RESTARTS
#define RESTARTS 3
#endif

/* The node: what it has in memory, and the older state that is on its disk. */
byte process = 1;
bit synced, ended;
bit has, disk_has;              /* An incarnation is written down: */
byte whose, disk_whose;               /* the process that it is of, */
bit was_synced, disk_was_synced;
byte born, disk_born;           /* and how old it is, up to GUARD. */
byte forgotten;                 /* Ticks that the longest of the leases it has forgotten has left. */
byte granted, disk_granted;     /* Ticks that the lease it remembers has left. */

#ifdef SYNC_AGAIN
#define MAY_SYNC (!synced)
#else
#define MAY_SYNC (!synced && !ended)
#endif

#define OLDER(ticks, most) if :: ticks < most -> ticks++ :: else fi
#define LESS(ticks) if :: ticks > 0 -> ticks-- :: else fi

#ifdef ANY_PROCESS
#define KEEPS_AGE true
#elif defined(SYNCED_NOW)
#define KEEPS_AGE (whose == process || synced)
#elif defined(SYNCED_THEN)
#define KEEPS_AGE (whose == process || was_synced)
#else
#define KEEPS_AGE (whose == process || (was_synced && synced))
#endif

inline forget_lease() {
	if :: granted > forgotten -> forgotten = granted :: else fi;
	granted = 0
}

/* What the enrol script does. */
inline enrol() {
	if
	:: has && KEEPS_AGE -> skip
	:: else -> born = 0
	fi;
	was_synced = synced;
	has = 1;
	whose = process
}

inline restart_with_older() {
	if
	:: disk_granted < granted || disk_granted == 0 -> forget_lease()
	:: else
	fi;
	granted = disk_granted;
	has = disk_has;
	whose = disk_whose;
	was_synced = disk_was_synced;
	born = disk_born
}

inline save() {
	disk_has = has;
	disk_whose = whose;
	disk_was_synced = was_synced;
	disk_born = born;
	disk_granted = granted
}

proctype World() {
	bit believed;
end:	do
	:: d_step { true ->
		printf("-- tick --\n");
		OLDER(born, GUARD);
		OLDER(disk_born, GUARD);
		LESS(granted);
		LESS(disk_granted);
		LESS(forgotten) }
	/* A client connects; a connection never outlives the process. */
	:: d_step { true ->
		enrol();
		if :: synced -> save() :: else fi;
		printf("enrolled: process %d, age %d, synced %d\n", whose, born, was_synced);
		believed = (born >= GUARD);
		if
		:: believed && forgotten > 0 ->
			printf("VIOLATION: believed, and it forgot a lease with %d left\n", forgotten);
			assert(false)
		:: else
		fi;
		/* Believed, and free: it grants. */
		if
		:: believed && granted == 0 -> granted = TTL; printf("granted\n");
			if :: synced -> save() :: else fi
		:: else
		fi }
	:: d_step { !synced -> save(); printf("saved\n") }
	/* Changes of the configuration while it runs: syncing begins with all that there is. */
	:: d_step { MAY_SYNC -> synced = 1; save(); printf("it syncs from now on\n") }
	:: d_step { synced -> synced = 0; ended = 1; printf("it does not sync any more\n") }
	:: d_step { process < RESTARTS + 1 && !synced -> process++; restart_with_older();
		printf("restarted with what was saved\n") }
	:: d_step { process < RESTARTS + 1 && synced -> process++; printf("restarted with everything\n") }
	:: d_step { process < RESTARTS + 1 && synced -> process++; synced = 0; ended = 1;
		printf("restarted with everything, does not sync any more\n") }
	:: d_step { process < RESTARTS + 1 && MAY_SYNC -> process++; restart_with_older(); synced = 1; save();
		printf("restarted with what was saved, syncs now\n") }
	:: d_step { process < RESTARTS + 1 -> process++; forget_lease(); has = 0; born = 0;
		save(); printf("restarted empty\n") }
	:: d_step { process < RESTARTS + 1 && MAY_SYNC -> process++; forget_lease(); has = 0; born = 0;
		synced = 1; save(); printf("restarted empty, syncs now\n") }
	od
}

init { run World() }
