/* script.h - the Lua scripts, and their digests. */
#ifndef RLK_SCRIPT_H
#define RLK_SCRIPT_H

enum rlk_script_id {
	RLK_SCRIPT_RELEASE,
	RLK_SCRIPT_EXTEND,
	RLK_SCRIPT_FENCED,
	RLK_SCRIPT_CHECKED,
	RLK_SCRIPT_ENROL,
	RLK_SCRIPT_INSPECT,
	RLK_SCRIPT_JOIN,
	RLK_SCRIPT_CONFIRM,
	RLK_SCRIPT_TAKE_ALL,
	RLK_SCRIPT_EXTEND_ALL,
	RLK_SCRIPT_RELEASE_ALL,
	RLK_SCRIPT_SHARE,
	RLK_SCRIPT_SHARED_EXTEND,
	RLK_SCRIPT_SHARED_RELEASE,
	RLK_SCRIPTS
};

struct rlk_script {
	const char *text;
	const char *sha1; /* 40 hex digits: what EVALSHA names it by. */
};

extern const struct rlk_script rlk_scripts[RLK_SCRIPTS];

#endif
