/* mutant.h - the rules of the core, each with a mark where it can be broken on purpose.
 *
 * A checker that has never failed shows nothing. So test/sim builds the core a
 * second time with -DRLK_MUTANTS, breaks one rule after the other, and sees
 * whether the simulator notices ("./dev mutants"). In the library every mark is
 * the constant false, and nothing of this is left.
 *
 * A rule that is kept twice, so that no single breakage shows, has one mark at
 * both places. */
#ifndef RLK_MUTANT_H
#define RLK_MUTANT_H

#include <stdbool.h>

/* X(name, the rule, how it is broken) */
#define RLK_MUTANT_LIST(X)                                                                         \
	X(QUORUM_LESS_ONE, "quorum", "one vote less than a quorum wins")                           \
	X(QUORUM_OF_HALF, "quorum", "half of an even number of nodes is a quorum")                 \
	X(TWINS_VOTE, "one server, one vote", "one server votes under two addresses")              \
	X(ROUND_MIXED, "one round", "an answer to an earlier renewal counts in this one")          \
	X(ATTEMPT_MIXED, "one round", "an answer to a lost attempt counts in the next one")        \
	X(TOKEN_REUSED, "one attempt, one token", "every attempt of a lock has the same token")    \
	X(DECIDED_TWICE, "decide once", "an answer after the win wins again")                      \
	X(DRIFT_DROPPED, "validity", "no allowance for clocks that differ")                        \
	X(VALID_FROM_WIN, "validity", "a lease counts from the win, not from the first byte")      \
	X(CLOCK_CACHED, "validity", "a win is judged by the clock as it was at the start")         \
	X(MIN_VALIDITY, "validity", "a win with less left than was asked for counts")              \
	X(HOLD_UNCAPPED, "validity", "a lease outlasts the longest time to hold")                  \
	X(SILENCE_IS_NO, "unknown is not no", "no answer in time is read as not set")              \
	X(ERROR_IS_NO, "unknown is not no", "an error is read as not set")                         \
	X(BROKEN_IS_NO, "unknown is not no", "a broken connection is read as not set")             \
	X(REPAIR_REFUSED_IS_NO, "unknown is not no", "a refused repair is read as not set")        \
	X(LOSS_KEPT, "nothing is left behind", "a lost attempt is not given back")                 \
	X(UNSENT_STAYS, "nothing is left behind", "what is given back may still be asked for")     \
	X(DEBT_FORGOTTEN, "debts", "a release is not asked for after a reconnection")              \
	X(DEBT_ONCE, "debts", "a release that failed is not asked for again")                      \
	X(DEBT_CUT_SHORT, "debts", "a debt ends while its key can live")                           \
	X(STRAY_SETTLED, "debts", "the first answer settles what may still be set later")          \
	X(STRAY_EXTENDED, "debts", "a renewal's answer settles what may still be set later")       \
	X(OWN_TOKEN_ASKED, "debts", "a token is used again where its release is owed")             \
	X(OWN_TOKEN_LATE, "debts", "a release of a dead connection is taken to be lost")           \
	X(EXTEND_FROM_END, "extend", "a renewal counts from its end")                              \
	X(EXTEND_LATE, "extend", "a renewal counts after the old end")                             \
	X(EXTEND_RECREATES, "extend", "a lease that is over is created anew by renewing it")       \
	X(EXTEND_SHORTENS, "extend", "a renewal may shorten a key's life")                         \
	X(EXTEND_ANY, "extend", "a renewal lengthens anybody's key")                               \
	X(EXTEND_FAILED_DROPS, "extend", "a failed renewal ends the lease")                        \
	X(GUARD_OFF, "restart guard", "a node that forgot votes at once")                          \
	X(GUARD_HALF, "restart guard", "the guard is half as long")                                \
	X(GUARD_NO_DRIFT, "restart guard", "no allowance for clocks that differ")                  \
	X(GUARD_ONCE, "restart guard", "a node is judged on its first connection only")            \
	X(GUARD_STALE, "restart guard", "data of an earlier process keeps its age")                \
	X(CHANGE_UNSEEN, "restart guard", "a server that took over unseen votes at once")          \
	X(GUARD_COUNTS_REPAIR, "repair", "a node in its guard votes for what it did not know")     \
	X(GUARD_COUNTS_HEIR, "hand on", "a node in its guard votes for an heir it did not know")   \
	X(ADVANCE_CREATES, "hand on", "a key that is not there is created by advancing it")        \
	X(GUARD_COUNTS_LAPSED, "repair",                                                           \
	  "a node in its guard votes, though the key may have died")                               \
	X(FENCE_EQUAL, "fencing", "a token that was granted already is granted again")             \
	X(FENCE_NO_FLOOR, "fencing", "a node that forgot grants any token")                        \
	X(FENCE_NO_CEILING, "fencing", "a node grants any token, however far ahead")               \
	X(FENCE_REUSED, "fencing", "a second attempt proposes the token of the first")             \
	X(FENCE_NOT_RAISED, "fencing", "no token above the one that was refused is tried")         \
	X(FENCE_EARLY, "fencing", "a refused token is judged before all has been heard")           \
	X(RELEASE_ANY, "release", "a release deletes anybody's key")                               \
	X(RELEASE_GRANTED_ONLY, "release", "only what was granted is given back")                  \
	X(HELD_WHILE_RELEASED, "release", "held until the release is answered")                    \
	X(HAND_KEPT, "hand on", "who hands a lease on still holds it")                             \
	X(HAND_RENEWED, "hand on", "a lease is handed on with a new end")                          \
	X(HAND_LATE, "hand on", "a lease that is over is handed on")                               \
	X(HAND_FENCE_SHARED, "hand on", "two holders share a fencing token")                       \
	X(HAND_ENDLESS, "hand on", "a lease is handed on for ever, and never given back")          \
	X(WAITER_FORGOTTEN, "hand on", "who cancels a wait keeps its place in the line")           \
	X(LINE_REFUSED_IS_NO, "in line",                                                           \
	  "who is refused in line is taken to have nothing to come")                               \
	X(LINE_CONFIRM_ANY, "in line", "who confirms gets anybody's key")                          \
	X(LINE_CONFIRM_SHORT, "in line", "who confirms has the key for as long as it was kept")    \
	X(LINE_PASS_HELD, "in line", "who joins the line gets a key that another has")             \
	X(LINE_TICKET_STAYS, "in line", "who gives back stays in line")                            \
	X(LINE_FORGOTTEN, "in line", "who gives back takes with him the word that others wait")    \
	X(LINE_CALL_COUNTS, "in line", "a call counts as a vote")                                  \
	X(LINE_CALL_ALONE, "in line", "who is in line waits for a call, and for nothing else")     \
	X(LINE_NOT_AGAIN, "in line", "who was not heard is not asked again")                       \
	X(ALL_FIRST_FREE, "all or none", "of several keys only the first has to be free")          \
	X(ALL_PARTLY_SET, "all or none", "who is refused several has those that were free")        \
	X(ALL_REPAIR_ANY, "all or none", "a repair of several takes what another has")             \
	X(ALL_RELEASE_FIRST, "all or none", "only the first of several is given back")             \
	X(SHARED_WITH_WRITER, "read and write", "a reader gets a key that a writer has")           \
	X(SHARED_FREES_ALL, "read and write", "a reader who gives back frees what others read")    \
	X(SHARED_SHORT, "read and write", "the key lives for the reader who came last")            \
	X(SHARED_EXTEND_SHORT, "read and write",                                                   \
	  "a reader's time is lengthened, and the key's is not")                                   \
	X(SHARED_EXTEND_OVER, "read and write", "a reader whose time is over is lengthened")       \
	X(SHARED_STAYS, "read and write", "a reader who gives back stays a reader")                \
	X(SHARED_DEAD_AHEAD, "read and write", "a dead writer in line keeps readers out")          \
	X(SHARED_HANDED_ON, "read and write", "a reader's lease is handed on to a writer")         \
	X(LOST_LATE, "told in time", "the end of a lease is noticed after it")                     \
	X(RISK_UNTOLD, "told in time", "a lease ends without a warning")                           \
	X(TOLD_TWICE, "told once", "a callback comes twice")                                       \
	X(TOLD_NEVER, "told once", "a renewal ended by the end of the lease is not told")          \
	X(TOLD_AFTER_FREE, "told once", "who has let go of a lease is told of its end")            \
	X(SUSPECT_STAYS, "breaker", "a node that was silent is not trusted again")                 \
	X(WAIT_ENDLESS, "waiting", "the end of the wait is not kept")

#ifdef RLK_MUTANTS
#define RLK_MUTANT_NAME(name, rule, breakage) RLK_MUTANT_##name,
enum rlk_mutant { RLK_NO_MUTANT, RLK_MUTANT_LIST(RLK_MUTANT_NAME) };
#undef RLK_MUTANT_NAME
extern enum rlk_mutant rlk_mutant; /* The rule that is broken. */
#define RLK_MUTANT(name) (rlk_mutant == RLK_MUTANT_##name)
#else
#define RLK_MUTANT(name) false
#endif

#endif
