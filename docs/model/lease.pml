/* lease.pml - one resource, N nodes, and attempts that want the lease on it.
 *
 * Time is a tick that takes one from every countdown there is at once: the life of
 * the key on each node, the validity that a holder counts on, the guard of a node
 * that has restarted. So the states are finite although time is not.
 *
 * An attempt is one round: a SET to each node under a token of its own. A command
 * is executed any time after it was sent; a grant is noted when the node gives it,
 * and the client acts on it any time later, or never. That covers every delay and
 * every loss. Commands of one attempt to one node stay in order; those of two
 * attempts do not, as if the connection had broken between them.
 *
 * Checked: nobody comes to hold the lease, or renews it, while another one's is
 * valid; and what is renewed has not been somebody else's in between. So when all
 * attempts but one are over nothing can go wrong any more, and the search ends.
 * For the same reason only one attempt gives its keys back: 0 where there are three,
 * 1 where 0 may renew. The others just end, as a client that dies.
 *
 * The rules, each of which can be broken (or its danger added):
 *   TTL=n                       ticks that a key lives
 *   FAST=n, MARGIN=n            a node's clock gains n ticks within a key's life;
 *                               validity is n ticks shorter than the key's life
 *   FEWER                       one vote fewer than a quorum is enough
 *   LATE_WIN                    the clock is not looked at when the votes are in
 *   PAUSE                       a holder acts some time after looking at the clock
 *   AGAIN, MIX, ONE_TOKEN       three attempts: 0 is lost, and 1 is its client's
 *                               next one; grants of 0 count for 1; both have the
 *                               same token
 *   EXTEND=n                    attempt 0 may renew its lease n times
 *   LATE_EXTEND                 ... even when the old validity is over
 *   SHORTEN                     ... for one tick only, whatever the key has left
 *   REPAIR                      ... and gives the key again to nodes without it
 *   RECREATE                    ... whether its lease is still valid or not
 *   CRASHES=n                   so many times a node restarts empty
 *   GUARD=n                     it is not asked for new leases for n ticks then
 *   ANY_REPAIR                  a repair counts in the guard wherever it was made
 *   PROXY, STAMP                a restart does not break connections, so clients
 *                               need not notice; commands carry the incarnation that
 *                               the client knows, and the node refuses another */
#ifndef N
#define N 3
#endif
#ifdef AGAIN
#define A 3
#else
#define A 2
#endif
#ifndef TTL
#define TTL 2
#endif
#ifndef EXTEND
#define EXTEND 0
#endif
#ifndef FAST
#define FAST 0
#endif
#ifndef MARGIN
#define MARGIN FAST
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef GUARD
#define GUARD 0
#endif
#define ALL ((1 << N) - 1)
#define BIT(n) (1 << (n))
#define COUNT(set) (((set) & 1) + (((set) >> 1) & 1) + (((set) >> 2) & 1))
#ifdef FEWER
#define QUORUM (N / 2)
#else
#define QUORUM (N / 2 + 1)
#endif
#ifdef SHORTEN
#define NEW_TTL 1
#else
#define NEW_TTL TTL
#endif
#ifdef LATE_WIN
#define IN_TIME(age, ttl) true
#else
#define IN_TIME(age, ttl) ((age) + MARGIN < (ttl))
#endif
#define LEFT(age, ttl) ((age) + MARGIN < (ttl) -> (ttl) - MARGIN - (age) : 1)

/* Tokens are attempt + 1; 0 is no key. */
#ifdef ONE_TOKEN
#define TOKEN(a) ((a) < 2 -> 1 : (a) + 1)
#else
#define TOKEN(a) ((a) + 1)
#endif

#ifdef AGAIN
#define GIVER 0
#else
#define GIVER 1
#endif

/* Nodes. */
byte owner[N], life[N];
byte gained[N];         /* FAST: ticks that its clock has gained in this key's life. */
byte guard[N], crashes;

/* Attempts: sets of nodes where a command is on its way, and what came of it. */
byte set[A], got[A];
byte release;           /* Of GIVER. */
byte stale[A];          /* PROXY: it does not know that they have restarted. */
byte age[A];            /* Ticks since the round began. */
byte valid[A];          /* Ticks of validity left; 0: not held. */
bit open[A];            /* Votes still count. */
bit over[A];            /* It does not hold the lease, and never will. */
byte winner;            /* Who came to hold the lease last. */

/* Attempt 0, renewing. */
byte extend, repair;    /* On their way. */
byte answered, counted; /* Executed and not yet heard of; heard of, and a vote. */
byte extend_age;
bit extending;
byte sure[N];           /* Ticks that its key cannot have died there, as it knows. */

hidden byte i;

inline check_alone(a) {
	i = 0;
	do
	:: i < A ->
		if
		:: i != a && valid[i] > 0 ->
			printf("VIOLATION: attempts %d and %d both hold the lease\n", a, i);
			assert(false)
		:: else
		fi;
		i++
	:: else -> break
	od
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

inline drop_key(n) {
	owner[n] = 0;
	life[n] = 0;
	gained[n] = 0
}

inline give_key(n, token, ttl) {
	owner[n] = token;
	life[n] = ttl;
	gained[n] = 0
}

#ifdef STAMP
#define KNOWN(a, n) (!(stale[a] & BIT(n)))
#else
#define KNOWN(a, n) true
#endif

inline run_set(a, n) {
	set[a] = set[a] & ~BIT(n);
	if
	:: owner[n] == 0 && KNOWN(a, n) ->
		give_key(n, TOKEN(a), TTL);
		printf("node %d grants attempt %d\n", n, a);
		if
		:: open[a] -> got[a] = got[a] | BIT(n)
#ifdef MIX
		:: !open[a] && a == 0 && open[1] -> got[1] = got[1] | BIT(n)
#endif
		:: else
		fi;
		if
		:: EXTEND && a == 0 && open[0] -> sure[n] = LEFT(age[0], TTL)
		:: else
		fi
	:: else -> printf("node %d refuses attempt %d\n", n, a)
	fi
}

inline run_release(n) {
	release = release & ~BIT(n);
	if
	:: owner[n] == TOKEN(GIVER) -> drop_key(n); printf("node %d deletes the key of attempt %d\n", n, GIVER)
	:: else
	fi
}

inline run_extend(n) {
	extend = extend & ~BIT(n);
	if
	:: owner[n] == 1 ->
#ifdef SHORTEN
		give_key(n, 1, NEW_TTL);
#else
		give_key(n, 1, TTL);
#endif
		answered = answered | BIT(n);
		printf("node %d extends\n", n)
#ifdef RECREATE
	:: owner[n] == 0 -> repair = repair | BIT(n)
#elif defined(REPAIR)
	:: owner[n] == 0 && valid[0] > 0 -> repair = repair | BIT(n)
#endif
	:: else
	fi
}

inline run_repair(n) {
	repair = repair & ~BIT(n);
	if
	:: owner[n] == 0 -> give_key(n, 1, TTL); answered = answered | BIT(n); printf("node %d is repaired\n", n)
	:: else
	fi
}

inline restart(n) {
	crashes++;
	drop_key(n);
	guard[n] = GUARD;
	i = 0;
	do
	:: i < A ->
#ifdef PROXY
		stale[i] = stale[i] | BIT(n);
#else
		set[i] = set[i] & ~BIT(n);
#endif
		i++
	:: else -> break
	od;
#ifndef PROXY
	release = release & ~BIT(n);
	extend = extend & ~BIT(n);
	repair = repair & ~BIT(n);
#endif
	printf("node %d restarts empty\n", n)
}

#ifdef AGAIN
#define MATTERS (!over[1] && !over[2])
#else
#define MATTERS (!over[0] && (!over[1] || (winner == 1 && extending)))
#endif

proctype Node(byte n) {
end:	do
	/* Nodes are alike: number them in the order in which they execute attempt 0's SET. */
	:: d_step { MATTERS && (set[0] & BIT(n)) && !(set[0] & (BIT(n) - 1)) -> run_set(0, n); i = 0 }
	:: d_step { MATTERS && (set[1] & BIT(n)) -> run_set(1, n); i = 0 }
#ifdef AGAIN
	:: d_step { MATTERS && (set[2] & BIT(n)) -> run_set(2, n); i = 0 }
#endif
	:: d_step { MATTERS && (release & BIT(n)) && !(set[GIVER] & BIT(n)) -> run_release(n); i = 0 }
#if EXTEND > 0
	:: d_step { MATTERS && (extend & BIT(n)) && !(set[0] & BIT(n)) -> run_extend(n); i = 0 }
	:: d_step { MATTERS && (repair & BIT(n)) -> run_repair(n); i = 0 }
#endif
#if FAST > 0
	:: d_step { MATTERS && life[n] > 0 && gained[n] < FAST ->
		gained[n]++;
		life[n]--;
		if :: life[n] == 0 -> drop_key(n) :: else fi; i = 0 }
#endif
#if CRASHES > 0
	:: d_step { MATTERS && crashes < CRASHES -> restart(n); i = 0 }
#endif
	od
}

/* ---- Time ------------------------------------------------------------------------------------ */

inline less(countdown) {
	if :: countdown > 0 -> countdown-- :: else fi
}

inline tick() {
	i = 0;
	do
	:: i < N ->
		less(life[i]);
		if :: life[i] == 0 -> drop_key(i) :: else fi;
		less(guard[i]);
		less(sure[i]);
		i++
	:: else -> break
	od;
	i = 0;
	do
	:: i < A ->
		less(valid[i]);
		if :: open[i] && age[i] < TTL -> age[i]++ :: else fi;
		i++
	:: else -> break
	od;
	if :: extending && extend_age < TTL -> extend_age++ :: else fi;
	printf("-- tick --\n")
}

proctype Clock() {
end:	do
	:: d_step { MATTERS -> tick(); i = 0 }
	od
}

/* ---- Clients --------------------------------------------------------------------------------- */

/* Who asks: a node inside its guard is not asked, if the client knows of it. */
#if GUARD > 0
#define ASKED(n) (guard[n] == 0 -> BIT(n) : 0)
#else
#define ASKED(n) BIT(n)
#endif

inline begin(a) {
	set[a] = stale[a] | ASKED(0) | ASKED(1) | ASKED(2);
	open[a] = 1;
	printf("attempt %d begins\n", a)
}

inline close(a) {
	open[a] = 0;
	got[a] = 0;
	age[a] = 0
}

inline win(a) {
	valid[a] = LEFT(age[a], TTL);
	printf("attempt %d WINS, valid for %d\n", a, valid[a]);
	check_alone(a);
	winner = a;
	close(a)
}

inline hear(n) {
	answered = answered & ~BIT(n);
	if
#ifndef ANY_REPAIR
	:: guard[n] > 0 && sure[n] == 0 -> printf("the vote of node %d is withheld\n", n)
#endif
	:: else -> counted = counted | BIT(n); sure[n] = LEFT(extend_age, TTL)
	fi
}

inline extend_over() {
	extending = 0;
	extend_age = 0;
	answered = 0;
	counted = 0
}

inline extended() {
	if
	:: valid[0] < LEFT(extend_age, NEW_TTL) -> valid[0] = LEFT(extend_age, NEW_TTL)
	:: else
	fi;
	printf("attempt 0 EXTENDS, valid for %d\n", valid[0]);
	check_alone(0);
	if
	:: winner != 0 -> printf("VIOLATION: it was attempt %d's in between\n", winner); assert(false)
	:: else
	fi;
	extend_over()
}

#ifdef LATE_EXTEND
#define HELD_BY_0 true
#else
#define HELD_BY_0 (valid[0] > 0)
#endif

#if EXTEND > 0
proctype Renewal() {
	byte renewals;
end:	do
	:: d_step { renewals < EXTEND && valid[0] > 0 && !extending && !over[0] && extend == 0 &&
		    repair == 0 ->
		renewals++;
		extending = 1;
		extend = ALL;
		printf("attempt 0 asks to extend\n") }
	:: d_step { extending && (answered & BIT(0)) -> hear(0) }
	:: d_step { extending && (answered & BIT(1)) -> hear(1) }
	:: d_step { extending && (answered & BIT(2)) -> hear(2) }
	:: d_step { extending && COUNT(counted) >= QUORUM && IN_TIME(extend_age, NEW_TTL) && HELD_BY_0 ->
		extended(); i = 0 }
	:: d_step { extending -> extend_over() }
	od
}
#endif

proctype Attempt(byte a) {
	atomic {
#ifdef AGAIN
		a != 1 || over[0];
#endif
#ifdef PROXY
		if
		:: true				/* It looked at the nodes before they restarted, */
		:: stale[a] = 0			/* or after it. */
		fi;
#endif
		d_step { begin(a); i = 0 }
#ifdef AGAIN
		if
		:: a == 0 -> release = ALL; open[0] = 0; over[0] = 1; goto lost
		:: else
		fi
#endif
	}
	if
	:: d_step { COUNT(got[a]) >= QUORUM && IN_TIME(age[a], TTL) -> win(a); i = 0 }
#ifdef PAUSE
		if
		:: valid[a] > 0 -> d_step { true -> check_alone(a); i = 0 }	/* It acts now. */
		:: true
		fi;
#endif
	:: true
	fi;
	if
	:: d_step { valid[a] == 0 && !(a == 0 && extending) -> close(a); over[a] = 1 }
#if EXTEND > 0
	:: d_step { a == GIVER && valid[a] > 0 -> valid[a] = 0; release = ALL; over[a] = 1;
		printf("attempt 1 gives back\n") }
#endif
	fi;
lost:	skip
}

init {
	atomic {
		run Node(0); run Node(1); run Node(2); run Clock();
		run Attempt(0); run Attempt(1);
#ifdef AGAIN
		run Attempt(2);
#endif
#if EXTEND > 0
		run Renewal()
#else
		skip
#endif
	}
}
