/* fence.pml - fencing tokens from votes, without any assumption about time.
 *
 * A key may vanish at any moment (it expired, by whatever clock; it was released),
 * a command may take any time, a client may act on its grants any time later, and
 * it may propose any token. An attempt whose grants are a quorum is a success, even
 * if its lease is long over.
 *
 * Checked, at each success: its token is above that of every success that was
 * complete when it began, and nobody else's.
 *
 * The rules, each of which can be broken (or its danger added):
 *   A=n, T=n                    attempts; tokens are 1 to n
 *   OR_EQUAL                    a node grants a token that is not above its fence,
 *                               but the same
 *   ADVANCE=n                   attempt 0 hands its lease on n times, under a new
 *                               token: owner is still the same, token above the fence
 *   ANY_ADVANCE                 ... whatever the fence
 *   EXTEND                      attempt 0 may renew its lease. Checked: not once a
 *                               success after it was complete when it asked
 *   REPAIR                      ... giving the key again to nodes without it
 *   LOOK                        ... unless their fence is above its token
 *   FILL                        attempt 0 may give the key to nodes without it once it has
 *                               a quorum, whatever their fence: to keep others out
 *   FILLED_COUNT                ... and such a node votes for its renewal
 *   CRASHES=n                   so many times a node restarts empty
 *   SNAPSHOT                    ... or with an older fence, and no key
 *   CLOCK=n, DELTA=n            a node refuses tokens more than DELTA ahead of its
 *                               clock; clocks differ by 0 or 2, and time goes to n
 *   FLOOR                       a node without a fence refuses what is not above
 *                               born + DELTA; born: its clock when it restarted
 *   FLOOR_ALWAYS                ... so does one with a fence
 *   ADVANCE_LOOKS               an advance is held to that floor as well
 *   BACKSTEP                    its clock may be set back by 2 in the restart */
#ifndef N
#define N 3
#endif
#ifndef A
#define A 2
#endif
#ifndef T
#define T 3
#endif
#ifndef ADVANCE
#define ADVANCE 0
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef CLOCK
#define CLOCK 0
#endif
#ifndef DELTA
#define DELTA 1
#endif
#ifdef FLOOR_ALWAYS
#define FLOOR
#endif
#define QUORUM (N / 2 + 1)
#define ALL ((1 << N) - 1)
#define BIT(n) (1 << (n))
#define COUNT(set) (((set) & 1) + (((set) >> 1) & 1) + (((set) >> 2) & 1))

/* Nodes. */
byte owner[N];          /* Attempt + 1; 0: no key. */
byte fence[N];          /* 0: none. */
byte floor[N];          /* born + DELTA; 0: born so long ago that it does not matter. */
byte ahead[N];          /* Of the time; its clock is the sum. */
byte time, crashes;

/* Attempts: sets of nodes where a command is on its way, and that granted it. */
byte token[A];
byte acquire[A], got[A];
byte before[A];         /* Greatest token of the successes when it began. */
byte advance, advanced, next;
byte extend, extended;
byte fill, blocks;      /* Nodes that have granted more than its token only keep others out. */
byte best;              /* Greatest token of any success. */
byte used;              /* Set of tokens that successes had. */

#ifdef OR_EQUAL
#define ABOVE(t, n) ((t) >= fence[n])
#else
#define ABOVE(t, n) ((t) > fence[n])
#endif
#ifdef FLOOR_ALWAYS
#define FREE(t, n) ((t) > floor[n])
#else
#define FREE(t, n) (fence[n] > 0 || (t) > floor[n])
#endif
#if CLOCK > 0
#define NEAR(t, n) ((t) <= time + ahead[n] + DELTA)
#else
#define NEAR(t, n) true
#endif
#ifdef ANY_ADVANCE
#define MAY_ADVANCE(n) true
#elif defined(ADVANCE_LOOKS)
#define MAY_ADVANCE(n) (next > fence[n] && NEAR(next, n) && FREE(next, n))
#else
#define MAY_ADVANCE(n) (next > fence[n] && NEAR(next, n))
#endif
#ifdef LOOK
#define MAY_REPAIR(n) (token[0] >= fence[n])
#else
#define MAY_REPAIR(n) true
#endif

#ifdef FILLED_COUNT
#define VOTES(n) true
#else
#define VOTES(n) !(blocks & BIT(n))
#endif

inline success(a, t, since) {
	printf("attempt %d SUCCEEDS with token %d\n", a, t);
	if
	:: t <= since -> printf("VIOLATION: there was %d before it\n", since); assert(false)
	:: else
	fi;
	if
	:: used & BIT(t) -> printf("VIOLATION: token %d had been given to somebody\n", t); assert(false)
	:: else
	fi;
	used = used | BIT(t);
	if :: t > best -> best = t :: else fi
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

inline run_acquire(a, n) {
	acquire[a] = acquire[a] & ~BIT(n);
	if
	:: owner[n] == 0 && ABOVE(token[a], n) && FREE(token[a], n) && NEAR(token[a], n) ->
		owner[n] = a + 1;
		fence[n] = token[a];
		got[a] = got[a] | BIT(n);
		printf("node %d grants attempt %d\n", n, a)
	:: else -> printf("node %d refuses attempt %d: owner %d, fence %d\n", n, a, owner[n], fence[n])
	fi
}

inline run_advance(n) {
	advance = advance & ~BIT(n);
	if
	:: owner[n] == 1 && MAY_ADVANCE(n) ->
		fence[n] = next;
		advanced = advanced | BIT(n);
		printf("node %d advances to %d\n", n, next)
	:: else
	fi
}

inline run_fill(n) {
	fill = fill & ~BIT(n);
	if
	:: owner[n] == 0 ->
		owner[n] = 1;
		if
		:: fence[n] > token[0] -> blocks = blocks | BIT(n)
		:: else -> fence[n] = token[0]
		fi;
		printf("node %d is filled, fence %d\n", n, fence[n])
	:: else
	fi
}

inline run_extend(n) {
	extend = extend & ~BIT(n);
	if
	:: owner[n] == 1 && VOTES(n) -> extended = extended | BIT(n); printf("node %d extends\n", n)
#ifdef REPAIR
	:: owner[n] == 0 && MAY_REPAIR(n) ->
		owner[n] = 1;
		if :: fence[n] < token[0] -> fence[n] = token[0] :: else fi;
		extended = extended | BIT(n);
		printf("node %d is repaired, fence %d\n", n, fence[n])
#endif
	:: else
	fi
}

inline note_birth(n) {
	crashes++;
#ifdef BACKSTEP
	if :: ahead[n] >= 2 -> ahead[n] = ahead[n] - 2 :: else fi;
#endif
#ifdef FLOOR
	floor[n] = time + ahead[n] + DELTA;
#endif
	printf("node %d restarts, fence %d, floor %d\n", n, fence[n], floor[n])
}

proctype Node(byte n) {
end:	do
	:: d_step { owner[n] != 0 -> owner[n] = 0; printf("the key on node %d vanishes\n", n) }
	/* Nodes are alike: number them in the order in which they execute attempt 0. */
	:: d_step { (acquire[0] & BIT(n)) && !(acquire[0] & (BIT(n) - 1)) -> run_acquire(0, n) }
	:: d_step { acquire[1] & BIT(n) -> run_acquire(1, n) }
#if A > 2
	:: d_step { acquire[2] & BIT(n) -> run_acquire(2, n) }
#endif
#if ADVANCE > 0
	:: d_step { advance & BIT(n) -> run_advance(n) }
#endif
#ifdef FILL
	:: d_step { fill & BIT(n) -> run_fill(n) }
#endif
#ifdef EXTEND
	:: d_step { extend & BIT(n) -> run_extend(n) }
#endif
#if CRASHES > 0
	:: d_step { crashes < CRASHES -> owner[n] = 0; fence[n] = 0; note_birth(n) }
#ifdef SNAPSHOT
	:: d_step { crashes < CRASHES && fence[n] > 1 -> fence[n] = 1; note_birth(n) }
	:: d_step { crashes < CRASHES && fence[n] > 2 -> fence[n] = 2; note_birth(n) }
	:: d_step { crashes < CRASHES && fence[n] > 3 -> fence[n] = 3; note_birth(n) }
#endif
#endif
	od
}

#if CLOCK > 0
proctype Clock() {
end:	do
	:: d_step { time < CLOCK -> time++; printf("-- time %d --\n", time) }
	od
}
#endif

/* ---- Clients --------------------------------------------------------------------------------- */

inline choose(t) {
	t = 1;
	do
	:: t < T -> t++
	:: break
	od
}

inline hand_on() {
	choose(next);
	before[0] = best;
	advanced = 0;
	advance = ALL;
	printf("attempt 0 is handed on, token %d\n", next)
}

inline renew() {
	before[0] = best;
	extend = ALL;
	printf("attempt 0 asks to extend\n")
}

inline renewed() {
	printf("attempt 0 EXTENDS\n");
	if
	:: before[0] > token[0] -> printf("VIOLATION: there was %d since\n", before[0]); assert(false)
	:: else
	fi
}

proctype Attempt(byte a) {
	byte handed;

	atomic {
		choose(token[a]);
		before[a] = best;
		acquire[a] = ALL;
		printf("attempt %d begins, token %d\n", a, token[a])
	}
	d_step { COUNT(got[a]) >= QUORUM -> success(a, token[a], before[a]) }
#if ADVANCE > 0
	do
	:: a == 0 && handed < ADVANCE && advance == 0 ->
		atomic { handed++; hand_on() }
		d_step { COUNT(advanced) >= QUORUM -> success(0, next, before[0]) }
	:: break
	od;
#endif
#ifdef FILL
	if
	:: a == 0 -> fill = ALL; printf("attempt 0 fills up\n")
	:: else
	fi;
#endif
#ifdef EXTEND
	a == 0;
	atomic { renew() }
	d_step { COUNT(extended) >= QUORUM -> renewed() }
#endif
}

init {
	atomic {
#if CLOCK > 0
		if :: ahead[0] = 2 :: true fi;
		if :: ahead[1] = 2 :: true fi;
		if :: ahead[2] = 2 :: true fi;
		run Clock();
#endif
		run Node(0); run Node(1); run Node(2);
		run Attempt(0); run Attempt(1);
#if A > 2
		run Attempt(2)
#else
		skip
#endif
	}
}
