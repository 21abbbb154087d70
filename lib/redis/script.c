/* script.c - what the servers run for us; docs/protocol.md explains each.
 *
 * Each script does one node's vote in one atomic step. The digests are checked
 * against the texts by a test. */
#include "script.h"

/* Give the key to the first in line who listens, for a moment, and call him; tell the two behind
 * him when to look for themselves, since he may be stopped. A ticket is token (32), caller (12), ms
 * to keep (4), name (8), number (8): 64 bytes, so that a short line stays a compact one. Who does
 * not listen is gone. What a user may not do is left out: then nobody is in line. */
#define PASS_ON(heir)                                                                              \
	"for _ = 1, 128 do\n"                                                                      \
	"  local t = redis.pcall('ZPOPMIN', line)[1]\n"                                            \
	"  if not t then break end\n"                                                              \
	"  local n = t == ARGV[1] and 1 or redis.pcall('PUBLISH', 'redlock:wake:' .. "             \
	"string.sub(t, 33, 44), 'y' .. string.sub(t, 49))\n"                                       \
	"  if type(n) == 'number' and n > 0 and not redis.pcall('PSETEX', KEYS[1], "               \
	"tonumber(string.sub(t, 45, 48)), string.sub(t, 1, 32)).err then\n"                        \
	"    for i, s in ipairs(redis.pcall('ZRANGE', line, 0, 1)) do\n"                           \
	"      redis.pcall('PUBLISH', 'redlock:wake:' .. string.sub(s, 33, 44), "                  \
	"'n' .. string.sub(s, 49) .. i * string.sub(t, 45, 48))\n"                                 \
	"    end\n"                                                                                \
	"    " heir "\n"                                                                           \
	"  end\n"                                                                                  \
	"end\n"

/* clang-format off */
const struct rlk_script rlk_scripts[RLK_SCRIPTS] = {
	/* Delete the key if it is ours, or pass it on; and leave the line. Written for the case
	 * that nobody is in line, as every release is: the line's key is not a key of its own to
	 * send, parse and look up. KEYS lock. ARGV token [, ticket]. 1: deleted; 2: passed on; 0:
	 * not ours. */
	[RLK_SCRIPT_RELEASE] = {
		"local key, call = KEYS[1], redis.call\n"
		"local line = key .. ':line'\n"
		"if call('GET', key) == ARGV[1] and redis.pcall('EXISTS', line) == 0 then return call('DEL', key) end\n"
		"if ARGV[2] then redis.pcall('ZREM', line, ARGV[2]) end\n"
		"if call('GET', key) ~= ARGV[1] then return 0 end\n"
		PASS_ON("return 2")
		"return call('DEL', key)",
		"1f8ba9277d2534e03509fbcc2492073f642bba59",
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
	 * gone, which may be later for those who came earlier. Owners that are not 32 hex digits may
	 * follow another protocol, and call nobody; a key of another type certainly does, and has no
	 * line. KEYS lock, line. ARGV ticket, since (us), ms longer. {1, ''}: kept for us; {0, 'pttl
	 * rank foreign'}: in line. */
	[RLK_SCRIPT_JOIN] = {
		"local line = KEYS[2]\n"
		"local owner = redis.pcall('GET', KEYS[1])\n"
		"if type(owner) == 'table' then return string.find(owner.err, 'WRONGTYPE', 1, true) and {0, '-1 0 1'} or owner end\n"
		"redis.call('ZADD', line, ARGV[2], ARGV[1])\n"
		"if not owner then\n"
		PASS_ON("owner = string.sub(t, 1, 32) break")
		"end\n"
		"if owner == string.sub(ARGV[1], 1, 32) then\n"
		"  redis.call('ZREM', line, ARGV[1])\n"
		"  return {1, ''}\n"
		"end\n"
		"local left = redis.call('PTTL', KEYS[1])\n"
		"local life = math.max(left, 0) + ARGV[3]\n"
		"if redis.call('PTTL', line) < life then redis.call('PEXPIRE', line, life) end\n"
		"local foreign = owner and (#owner ~= 32 or string.find(owner, '[^0-9a-f]')) and 1 or 0\n"
		"return {0, left .. ' ' .. (redis.call('ZRANK', line, ARGV[1]) or 0) .. ' ' .. foreign}",
		"dfde28723c38fdd0dd4d49a4c36199813247ab4d",
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
};
/* clang-format on */
