/* script.c - what the servers run for us; docs/protocol.md explains each.
 *
 * Each script does one node's vote in one atomic step. The digests are checked
 * against the texts by a test. */
#include "script.h"

#include <redlock/redlock.h>

/* Give the key to the first in line who listens, for a moment, and call him; tell the two behind
 * him when to look for themselves, since he may be stopped. A ticket is token (32), caller (12), ms
 * to keep (4), name (8), number (8): 64 bytes, so that a short line stays a compact one. Who does
 * not listen is gone. What a user may not do is left out: then nobody is in line. */
#define PASS_ON(key, heir)                                                                         \
	"for _ = 1, 128 do\n"                                                                      \
	"  local t = redis.pcall('ZPOPMIN', line)[1]\n"                                            \
	"  if not t then break end\n"                                                              \
	"  local n = t == ARGV[1] and 1 or redis.pcall('PUBLISH', 'redlock:wake:' .. "             \
	"string.sub(t, 33, 44), 'y' .. string.sub(t, 49))\n"                                       \
	"  if type(n) == 'number' and n > 0 and not redis.pcall('PSETEX', " key ", "               \
	"tonumber(string.sub(t, 45, 48)), string.sub(t, 1, 32)).err then\n"                        \
	"    for i, s in ipairs(redis.pcall('ZRANGE', line, 0, 1)) do\n"                           \
	"      redis.pcall('PUBLISH', 'redlock:wake:' .. string.sub(s, 33, 44), "                  \
	"'n' .. string.sub(s, 49) .. i * string.sub(t, 45, 48))\n"                                 \
	"    end\n"                                                                                \
	"    " heir "\n"                                                                           \
	"  end\n"                                                                                  \
	"end\n"

/* Of a key of ours, n says what came of deleting it: 2, the word that others wait for it has gone
 * with it; or an error. Sets done: 2 if the next in line has it now, else 1. The name of the key's
 * variable is passed on. */
/* clang-format off */
#define GIVE_UP(heir_key)                                                                           \
	"if n == 2 then\n"                                                                         \
	"done = 1\n"                                                                               \
	PASS_ON(heir_key, "done = 2 break")                                                        \
	"elseif n then\n"                                                                          \
	"  done = redis.call('DEL', key)\n"                                                        \
	"end\n"                                                                                    \
	"local life = redis.pcall('PTTL', line)\n"                                                 \
	"if life == -2 then\n"                                                                     \
	"  redis.pcall('DEL', key .. ':line:on')\n"                                                \
	"elseif type(life) == 'number' and life > 0 then\n"                                        \
	"  redis.pcall('PSETEX', key .. ':line:on', life, '')\n"                                   \
	"end\n"

/* Readers stand in a set beside the key, each with the moment when its time is over; the key itself
 * is nobody's, and lives, like the set, until the last of these. In ms, by the server's clock; a
 * server may tell round ones with an exponent. */
#define NOW \
	"local t = redis.call('TIME')\n" \
	"local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
#define UNTIL_LAST \
	"local last = redis.call('ZRANGE', set, -1, -1, 'WITHSCORES')[2]\n" \
	"if last then\n" \
	"  last = string.format('%.0f', last)\n" \
	"  redis.call('PEXPIREAT', key, last)\n" \
	"  redis.call('PEXPIREAT', set, last)\n" \
	"end\n"

const struct rlk_script rlk_scripts[RLK_SCRIPTS] = {
	/* Delete the key if it is ours, or pass it on; and leave the line. Written for the case
	 * that nobody is in line, as every release is: that somebody waits is seen by one more key
	 * of the same DEL, which is there for as long as the line, instead of by a look of its own;
	 * and it is not a key to send, parse and look up. Who has no right to it deletes the lock. KEYS lock. ARGV token
	 * [, ticket]. 1: deleted; 2: passed on; 0: not ours. */
	[RLK_SCRIPT_RELEASE] = {
		"local key = KEYS[1]\n"
		"local n = redis.call('GET', key) == ARGV[1] and redis.pcall('DEL', key, key .. ':line:on')\n"
		"if n == 1 then return 1 end\n"
		"if not n and not ARGV[2] then return 0 end\n"
		"local line, done = key .. ':line', 0\n"
		"if ARGV[2] then redis.pcall('ZREM', line, ARGV[2]) end\n"
		GIVE_UP("KEYS[1]")
		"return done",
		"ff04f865e4912ecab7659279abadbaf70d8f00f3",
	},
	/* Lengthen the key's life if it is ours, never shorten it: an older promise must
	 * hold. KEYS lock [, fence] [, incarnation]. ARGV token, ttl ms [, fence ttl ms or 0 [, run_id:born]].
	 * 1: extended; 0: another owner; -1: no key; -CHANGED: another server. */
	[RLK_SCRIPT_EXTEND] = {
		"if ARGV[4] and (string.match(redis.call('GET', KEYS[#KEYS]) or '', '^(.*):') ~= ARGV[4]\n"
		"    or not string.find(redis.call('INFO', 'server'), string.match(ARGV[4], '^[^:]*'), 1, true)) then\n"
		"  return redis.error_reply('CHANGED another server answers here')\n"
		"end\n"
		"local owner = redis.call('GET', KEYS[1])\n"
		"if not owner then return -1 end\n"
		"if owner ~= ARGV[1] then return 0 end\n"
		"if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end\n"
		"if ARGV[3] and ARGV[3] ~= '0' then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end\n"
		"return 1",
		"100990f617834313f13337d81c5ef537f7397c17",
	},
	/* Set the key if it is free and the fencing token is above all that this node may
	 * have granted; then remember it. What it has forgotten counts as the largest it can have
	 * granted: nobody's token is accepted further ahead of its clock than delta, so born +
	 * delta bounds what was lost in a restart, be it all or the latest, and now + delta -
	 * fence ttl what expired. That one moves on with the clock: so who is below it is told
	 * the clock, which stays above it.
	 * Strictly above, even if the key is ours: it may be an own token, of who had it before us.
	 * A repair may carry the stored token again. To advance is to take another one for a key
	 * that is ours already, and nothing if it is not there. Numbers travel as decimal strings, since
	 * Lua's tostring() keeps 14 digits. KEYS lock, fence [, incarnation: see below]. ARGV token, ttl ms, T (us), born
	 * (us), delta (us), fence ttl ms, '0' to acquire, '1' to repair, '2' to advance
	 * [, incarnation].
	 * {1, ''}: granted; {0, pttl}: held;
	 * {-1, floor}: T too low; {-2, now}: T too far ahead of this node's clock; {-3, ''}:
	 * when it was born is not known; {-4, ''}: no key to advance. */
	[RLK_SCRIPT_FENCED] = {
		"if KEYS[3] and (string.match(redis.call('GET', KEYS[3]) or '', '^(.*):') ~= ARGV[8]\n"
		"    or not string.find(redis.call('INFO', 'server'), string.match(ARGV[8], '^[^:]*'), 1, true)) then\n"
		"  return redis.error_reply('CHANGED another server answers here')\n"
		"end\n"
		"if ARGV[4] == '0' then return {-3, ''} end\n"
		"local t = redis.call('TIME')\n"
		"local now = t[1] * 1000000 + t[2]\n"
		"local owner = redis.call('GET', KEYS[1])\n"
		"if owner and owner ~= ARGV[1] then return {0, tostring(redis.call('PTTL', KEYS[1]))} end\n"
		"local T, delta = tonumber(ARGV[3]), tonumber(ARGV[5])\n"
		"local repair, advance = ARGV[7] == '1', ARGV[7] == '2'\n"
		"if advance and not owner then return {-4, ''} end\n"
		"local known = tonumber(redis.call('GET', KEYS[2]) or '0')\n"
		"local floor = math.max(known, tonumber(ARGV[4]) + delta)\n"
		"if known == 0 then floor = math.max(floor, now + delta - tonumber(ARGV[6]) * 1000) end\n"
		"if repair then\n"
		"  if T < known then return {-1, string.format('%.0f', known)} end\n"
		"else\n"
		"  if T <= floor then return {-1, string.format('%.0f', math.max(floor, now))} end\n"
		"  if T > now + delta then return {-2, string.format('%.0f', now)} end\n"
		"end\n"
		"if not owner then\n"
		"  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
		"elseif redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then\n"
		"  redis.call('PEXPIRE', KEYS[1], ARGV[2])\n"
		"end\n"
		"redis.call('SET', KEYS[2], T < floor and string.format('%.0f', floor) or ARGV[3], 'PX', ARGV[6])\n"
		"return {1, ''}",
		"0ae3a0c9277ce070ebfd5bd7d50f1c15c20e6cd1",
	},
	/* Set the key if it is free, or kept for us, and if this is still the server that logged
	 * in: its incarnation, less what it says of syncing, and its process. KEYS lock, incarnation. ARGV
	 * token, ttl ms, run_id:born. {1, ''}: granted; {0, pttl}: held; -CHANGED: another one. */
	[RLK_SCRIPT_CHECKED] = {
		"if string.match(redis.call('GET', KEYS[2]) or '', '^(.*):') ~= ARGV[3]\n"
		"    or not string.find(redis.call('INFO', 'server'), string.match(ARGV[3], '^[^:]*'), 1, true) then\n"
		"  return redis.error_reply('CHANGED another server answers here')\n"
		"end\n"
		"if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return {1, ''} end\n"
		"if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0, tostring(redis.call('PTTL', KEYS[1]))} end\n"
		"if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end\n"
		"return {1, ''}",
		"f3d9a6f9fcf5f2c47b0ab3092ba265123dc7b2ef",
	},
	/* Learn, or begin, this node's incarnation: which process it is, since when it has
	 * been remembering, and whether every write is synced. A restart without the key begins
	 * anew, and so does one with another process's, unless that one had synced every write:
	 * then the data is complete and keeps its age. Who cannot know the process leaves what is
	 * there. KEYS incarnation. ARGV run_id or '', '1' if every write is synced. {born (us),
	 * node time (us)}. */
	[RLK_SCRIPT_ENROL] = {
		"local t = redis.call('TIME')\n"
		"local now = string.format('%.0f', t[1] * 1000000 + t[2])\n"
		"local born = now\n"
		"local v = redis.call('GET', KEYS[1])\n"
		"if v then\n"
		"  local run, was, synced = string.match(v, '^(.-):(%d+):(%d)$')\n"
		"  if was and ARGV[1] == '' then return {was, now} end\n"
		"  if run == ARGV[1] and synced == ARGV[2] then return {was, now} end\n"
		"  if run == ARGV[1] or (synced == '1' and ARGV[2] == '1') then born = was end\n"
		"end\n"
		"redis.call('SET', KEYS[1], ARGV[1] .. ':' .. born .. ':' .. ARGV[2])\n"
		"return {born, now}",
		"842d4437537835e8ddbfac3ec4e9b2fa21222785",
	},
	/* Who has the key, for how long, and how many stand in line for it (1000 at most)? KEYS lock,
	 * line. {owner, 256 bytes of it at most, or nil; pttl; in line, or -1 if we have no right to}. */
	[RLK_SCRIPT_INSPECT] = {
		"local owner = redis.call('GET', KEYS[1])\n"
		"local line = redis.pcall('ZRANGE', KEYS[2], 0, 999)\n"
		"local call = redis.pcall('PUBLISH', 'redlock:wake:', '')\n"
		"return {owner and string.sub(owner, 1, 256), redis.call('PTTL', KEYS[1]),\n"
		"  (line.err or type(call) ~= 'number') and -1 or #line}",
		"eed2a9aedb52c5879b77cdbd1393048c89ccf93c",
	},
	/* Stand in line. If the key is free, the first in line gets it. The line lasts for as long
	 * as the key, and a while longer: whoever stands in it comes back when the key must be
	 * gone, which may be later for those who came earlier. Owners that are not 32 letters from g to v may
	 * follow another protocol, and call nobody (readers do call); a key of another type certainly
	 * does, and has no line. KEYS lock, line. ARGV ticket, since (us), ms longer. {1, ''}: kept for us; {0, 'pttl
	 * rank foreign'}: in line. */
	[RLK_SCRIPT_JOIN] = {
		"local line = KEYS[2]\n"
		"local owner = redis.pcall('GET', KEYS[1])\n"
		"if type(owner) == 'table' then return string.find(owner.err, 'WRONGTYPE', 1, true) and {0, '-1 0 1'} or owner end\n"
		"local left = redis.call('PTTL', KEYS[1])\n"
		"local life = math.max(redis.call('PTTL', line), math.max(left, 0) + ARGV[3])\n"
		"redis.call('PSETEX', KEYS[1] .. ':line:on', life, '')\n"
		"redis.call('ZADD', line, ARGV[2], ARGV[1])\n"
		"redis.call('PEXPIRE', line, life)\n"
		"if not owner then\n"
		PASS_ON("KEYS[1]", "owner, left = string.sub(t, 1, 32), string.sub(t, 45, 48) + 0 break")
		"end\n"
		"if owner == string.sub(ARGV[1], 1, 32) then\n"
		"  redis.call('ZREM', line, ARGV[1])\n"
		"  return {1, ''}\n"
		"end\n"
		"local foreign = owner and owner ~= '" REDLOCK_OWNER_READERS "' and (#owner ~= 32 or string.find(owner, '[^g-v]')) and 1 or 0\n"
		"return {0, string.format('%.0f ', left) .. (redis.call('ZRANK', line, ARGV[1]) or 0) .. ' ' .. foreign}",
		"f990a6dd742c4d008e4a272a33ef16a64f430c3c",
	},
	/* Set the key if it is free, or kept for us: then for as long as was asked, and never
	 * for less. KEYS lock, line. ARGV token, ttl ms, ticket. {1, ''}: granted; {0, pttl}: held. */
	[RLK_SCRIPT_CONFIRM] = {
		"local owner = redis.call('GET', KEYS[1])\n"
		"if owner and owner ~= ARGV[1] then return {0, tostring(redis.call('PTTL', KEYS[1]))} end\n"
		"if not owner then\n"
		"  redis.call('PSETEX', KEYS[1], ARGV[2], ARGV[1])\n"
		"  redis.pcall('ZREM', KEYS[2], ARGV[3])\n"
		"elseif redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then\n"
		"  redis.call('PEXPIRE', KEYS[1], ARGV[2])\n"
		"end\n"
		"return {1, ''}",
		"2a96d8550c04bdab9bcbf086da6b34def39de8dc",
	},
	/* Set all keys or none: they are free, or, in a repair, ours. None of them is shortened. KEYS
	 * locks. ARGV token, ttl ms, '0' to acquire, '1' to repair. {1, ''}: granted; {0, pttl}: held,
	 * and the last of them for so long; below 0: for ever. */
	[RLK_SCRIPT_TAKE_ALL] = {
		"local left\n"
		"for _, key in ipairs(KEYS) do\n"
		"  local ms = redis.call('PTTL', key)\n"
		"  if ms ~= -2 and (ARGV[3] == '0' or redis.call('GET', key) ~= ARGV[1]) then\n"
		"    left = (ms < 0 or left == -1) and -1 or math.max(left or 0, ms)\n"
		"  end\n"
		"end\n"
		"if left then return {0, string.format('%.0f', left)} end\n"
		"for _, key in ipairs(KEYS) do\n"
		"  if redis.call('PTTL', key) < tonumber(ARGV[2]) then redis.call('SET', key, ARGV[1], 'PX', ARGV[2]) end\n"
		"end\n"
		"return {1, ''}",
		"2bd9ee7c72f8f95dde65bdedf66606b1c34ded84",
	},
	/* Lengthen the life of all keys if all are ours. KEYS locks. ARGV token, ttl ms. 1: extended;
	 * 0: another owner has one of them; -1: nobody has one of them. */
	[RLK_SCRIPT_EXTEND_ALL] = {
		"local all = true\n"
		"for _, key in ipairs(KEYS) do\n"
		"  local owner = redis.call('GET', key)\n"
		"  if owner and owner ~= ARGV[1] then return 0 end\n"
		"  all = all and owner\n"
		"end\n"
		"if not all then return -1 end\n"
		"for _, key in ipairs(KEYS) do\n"
		"  if redis.call('PTTL', key) < tonumber(ARGV[2]) then redis.call('PEXPIRE', key, ARGV[2]) end\n"
		"end\n"
		"return 1",
		"b97f33138464c78e6a1ce8c16f24e789f40a1b26",
	},
	/* Delete the keys that are ours, or pass them on, each to its own line. What is wrong with one
	 * keeps no other: it is said when all have been given up. KEYS locks. ARGV token. 1: all were
	 * ours, and are deleted; 2: the same, and one is passed on; 0: one was not ours. */
	[RLK_SCRIPT_RELEASE_ALL] = {
		"local answer, fault = 1, nil\n"
		"for _, key in ipairs(KEYS) do\n"
		"local owner = redis.pcall('GET', key)\n"
		"if type(owner) == 'table' and not string.find(owner.err, 'WRONGTYPE', 1, true) then fault = owner end\n"
		"local n = owner == ARGV[1] and redis.pcall('DEL', key, key .. ':line:on')\n"
		"if not n then answer = 0 end\n"
		"if n and n ~= 1 then\n"
		"local line, done = key .. ':line', 0\n"
		GIVE_UP("key")
		"if done == 2 and answer == 1 then answer = 2 end\n"
		"end\n"
		"end\n"
		"return fault or answer",
		"a58a487ce6840540a5b45a58d29f4a3f78f7752d",
	},
	/* Become a reader, beside others, unless somebody has the key for himself, or stands in line
	 * for it: a stream of readers would keep him out for ever. If the key is free, it is passed on to the
	 * first in line, who may have left and gives it back then. Else he is told when
	 * the key must be gone, which shows whether he is there; whoever does not listen is gone, and
	 * where that is not ours to know he counts as there. A reader
	 * who is one already is refused as well, since its token may be another's of the same
	 * name, unless it repairs; who repairs goes ahead of the line. KEYS lock,
	 * readers. ARGV token, ttl ms, '0' to acquire, '1' to repair. {1, ''}: granted; {0, pttl}: refused. */
	[RLK_SCRIPT_SHARE] = {
		"local key, set, line = KEYS[1], KEYS[2], KEYS[1] .. ':line'\n"
		"local owner = redis.call('GET', key)\n"
		"local left = redis.call('PTTL', key)\n"
		"if owner and owner ~= '" REDLOCK_OWNER_READERS "' then return {0, tostring(left)} end\n"
		NOW
		"local ends = tonumber(redis.call('ZSCORE', set, ARGV[1]) or 0)\n"
		"if ARGV[3] == '0' then\n"
		"  if ends > now then return {0, tostring(ends - now)} end\n"
		"  if not owner and redis.pcall('ZRANGE', line, 0, 0)[1] then\n"
		PASS_ON("KEYS[1]", "return {0, tostring(string.sub(t, 45, 48) + 0)}")
		"  end\n"
		"  for _ = 1, 128 do\n"
		"    local s = redis.pcall('ZRANGE', line, 0, 0)[1]\n"
		"    if not s then break end\n"
		"    local n = redis.pcall('PUBLISH', 'redlock:wake:' .. string.sub(s, 33, 44), "
		"'n' .. string.sub(s, 49) .. math.max(1, math.min(left, 9999999)))\n"
		"    if n ~= 0 then return {0, tostring(left)} end\n"
		"    redis.call('ZREM', line, s)\n"
		"  end\n"
		"end\n"
		"redis.call('ZADD', set, math.max(ends, now + ARGV[2]), ARGV[1])\n"
		"redis.call('ZREMRANGEBYSCORE', set, 0, now)\n"
		"if not owner then redis.call('SET', key, '" REDLOCK_OWNER_READERS "', 'PX', ARGV[2]) end\n"
		UNTIL_LAST
		"return {1, ''}",
		"b7ced08d5a93ebce6ad1fb5b967c30e44dfa8cf7",
	},
	/* Lengthen a reader's time, never shorten it. Who is told that he is no reader is none from then
	 * on, and be the clock set back. What is out of date is removed first, also since
	 * a server without memory lets a script go on that has written. KEYS lock, readers. ARGV token, ttl ms. 1: extended; 0:
	 * somebody has the key for himself; -1: no key, or no such reader. */
	[RLK_SCRIPT_SHARED_EXTEND] = {
		"local key, set = KEYS[1], KEYS[2]\n"
		"local owner = redis.call('GET', key)\n"
		"if owner and owner ~= '" REDLOCK_OWNER_READERS "' then redis.pcall('ZREM', set, ARGV[1]) return 0 end\n"
		NOW
		"local ends = owner and tonumber(redis.call('ZSCORE', set, ARGV[1]) or 0) or 0\n"
		"if ends <= now then redis.pcall('ZREM', set, ARGV[1]) return -1 end\n"
		"if ends < now + ARGV[2] then\n"
		"  redis.call('ZREMRANGEBYSCORE', set, 0, now)\n"
		"  redis.call('ZADD', set, now + ARGV[2], ARGV[1])\n"
		"end\n"
		UNTIL_LAST
		"return 1",
		"ccbea16334873de3f06f6838bd84fca79004131e",
	},
	/* Be no reader any more; the last one deletes the key, or passes it on. KEYS lock, readers. ARGV
	 * token. 1: it was one; 2: and the key is passed on; 0: it was none. */
	[RLK_SCRIPT_SHARED_RELEASE] = {
		"local key, set = KEYS[1], KEYS[2]\n"
		NOW
		"redis.call('ZREMRANGEBYSCORE', set, 0, now)\n"
		"local was = redis.call('ZREM', set, ARGV[1])\n"
		"if redis.call('GET', key) ~= '" REDLOCK_OWNER_READERS "' then return 0 end\n"
		UNTIL_LAST
		"if last then return was end\n"
		"local n = redis.pcall('DEL', key, key .. ':line:on')\n"
		"if n == 1 then return was end\n"
		"local line, done = key .. ':line', 0\n"
		GIVE_UP("KEYS[1]")
		"return was == 1 and done or 0",
		"b5b3ee57c8875595e031fb0b857ff27457c85064",
	},
};
/* clang-format on */
