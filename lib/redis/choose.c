/* choose.c - which script does what a command says, and with which helper key. */
#include "wire.h"

/* Its key may be kept for it. */
static bool stood_in_line(const struct rlk_command *command)
{
	return command->ticket.seq != 0;
}

/* Of a reader's commands. */
static enum rlk_script_id shared_script(enum rlk_op op)
{
	switch (op) {
	case RLK_OP_ACQUIRE:
	case RLK_OP_REPAIR:
		return RLK_SCRIPT_SHARE;
	case RLK_OP_EXTEND:
		return RLK_SCRIPT_SHARED_EXTEND;
	case RLK_OP_RELEASE:
		return RLK_SCRIPT_SHARED_RELEASE;
	default:
		return RLK_SCRIPTS;
	}
}

enum rlk_script_id rlk_wire_script(const struct rlk_command *command)
{
	if (command->several) {
		return rlk_several_script(command);
	}
	if (command->shared) {
		return shared_script(command->op);
	}
	switch (command->op) {
	case RLK_OP_ACQUIRE:
	case RLK_OP_REPAIR:
		if (command->fence != 0) {
			return RLK_SCRIPT_FENCED;
		}
		if (command->checked) {
			return RLK_SCRIPT_CHECKED;
		}
		return stood_in_line(command) ? RLK_SCRIPT_CONFIRM : RLK_SCRIPTS;
	case RLK_OP_JOIN:
		return RLK_SCRIPT_JOIN;
	case RLK_OP_ADVANCE:
		return RLK_SCRIPT_FENCED;
	case RLK_OP_EXTEND:
		return RLK_SCRIPT_EXTEND;
	case RLK_OP_RELEASE:
		return RLK_SCRIPT_RELEASE;
	case RLK_OP_INSPECT:
		return command->name != NULL ? RLK_SCRIPT_INSPECT : RLK_SCRIPTS;
	case RLK_OP_REMAINING:
		break;
	}
	return RLK_SCRIPTS;
}

const char *rlk_wire_helper(const struct rlk_command *command, enum rlk_script_id id)
{
	if (command->shared && id != RLK_SCRIPTS) {
		return RLK_READERS_SUFFIX;
	}
	if (id == RLK_SCRIPT_JOIN || id == RLK_SCRIPT_CONFIRM || id == RLK_SCRIPT_INSPECT) {
		return RLK_LINE_SUFFIX;
	}
	return command->fence != 0 && id != RLK_SCRIPT_RELEASE ? RLK_FENCE_SUFFIX : NULL;
}
