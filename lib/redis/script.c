/* script.c - what the servers run for us; docs/protocol.md explains each.
 *
 * Each script does one node's vote in one atomic step. The digests are checked
 * against the texts by a test. */
#include "script.h"

/* clang-format off */
const struct rlk_script rlk_scripts[RLK_SCRIPTS] = {
	/* Delete the key if it is ours. KEYS lock. ARGV token. 1: deleted; 0: not ours. */
	[RLK_SCRIPT_RELEASE] = {
		"if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\n"
		"return redis.call('DEL', KEYS[1])",
		"708b61c8defb6a8962235c40975ef70c7ff1a0e0",
	},
	/* Lengthen the key's life if it is ours, never shorten it: an older promise must
	 * hold. KEYS lock [fence]. ARGV token, ttl ms [, fence ttl ms]. 1: extended; 0: another
	 * owner; -1: no key. */
	[RLK_SCRIPT_EXTEND] = {
		"local owner = redis.call('GET', KEYS[1])\n"
		"if not owner then return -1 end\n"
		"if owner ~= ARGV[1] then return 0 end\n"
		"if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end\n"
		"if KEYS[2] then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end\n"
		"return 1",
		"a8a0b645bbf5548072fd1aa67a4e538127cbfce3",
	},
	/* Set the key if it is free and the fencing token is above all that this node may
	 * have granted; then remember it. A node without memory assumes the largest it can have
	 * granted: nobody's token is accepted further ahead of its clock than delta, so born +
	 * delta bounds what was forgotten in a restart, and now + delta - fence ttl what expired.
	 * A repair may carry the stored token again. Numbers travel as decimal strings, since
	 * Lua's tostring() keeps 14 digits. KEYS lock, fence. ARGV token, ttl ms, T (us), born
	 * (us), delta (us), fence ttl ms, '1' to repair. {1, ''}: granted; {0, pttl}: held;
	 * {-1, floor}: T too low; {-2, ''}: T too far ahead of this node's clock; {-3, ''}:
	 * when it was born is not known. */
	[RLK_SCRIPT_FENCED] = {
		"if ARGV[4] == '0' then return {-3, ''} end\n"
		"local t = redis.call('TIME')\n"
		"local now = t[1] * 1000000 + t[2]\n"
		"local owner = redis.call('GET', KEYS[1])\n"
		"if owner and owner ~= ARGV[1] then return {0, tostring(redis.call('PTTL', KEYS[1]))} end\n"
		"local T, delta, repair = tonumber(ARGV[3]), tonumber(ARGV[5]), ARGV[7] == '1'\n"
		"local keep = ARGV[3]\n"
		"local known = redis.call('GET', KEYS[2])\n"
		"local f = known\n"
		"if not known then\n"
		"  local floor = math.max(tonumber(ARGV[4]) + delta, now + delta - tonumber(ARGV[6]) * 1000)\n"
		"  f = string.format('%.0f', floor)\n"
		"  if repair and floor > T then keep = f end\n"
		"end\n"
		"local fence = tonumber(f)\n"
		"if repair then\n"
		"  if known and T < fence then return {-1, f} end\n"
		"else\n"
		"  if T < fence or (T == fence and owner ~= ARGV[1]) then return {-1, f} end\n"
		"  if T > now + delta then return {-2, ''} end\n"
		"end\n"
		"redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
		"redis.call('SET', KEYS[2], keep, 'PX', ARGV[6])\n"
		"return {1, ''}",
		"adc6dbec7fb977def9ab240102b44ba4aa7ad594",
	},
	/* Learn, or begin, this node's incarnation: which process it is, and since when it
	 * has been remembering. A restart without the key, or with another process's, begins
	 * anew; data known to be complete keeps its age. KEYS incarnation. ARGV run_id, '1' if
	 * every write is synced. {born (us), node time (us)}. */
	[RLK_SCRIPT_ENROL] = {
		"local t = redis.call('TIME')\n"
		"local now = string.format('%.0f', t[1] * 1000000 + t[2])\n"
		"local born = now\n"
		"local v = redis.call('GET', KEYS[1])\n"
		"if v then\n"
		"  local run, was = string.match(v, '^(.-):(%d+)$')\n"
		"  if run == ARGV[1] then return {was, now} end\n"
		"  if was and ARGV[2] == '1' then born = was end\n"
		"end\n"
		"redis.call('SET', KEYS[1], ARGV[1] .. ':' .. born)\n"
		"return {born, now}",
		"f60d1e16cf258d999b1a2cf865b69770768bb086",
	},
	/* Who has the key, and for how long? KEYS lock. {owner or nil, pttl}. */
	[RLK_SCRIPT_INSPECT] = {
		"return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}",
		"7c4acab28f3f7d97f3fd4354e4273792c8b95b9b",
	},
};
/* clang-format on */
