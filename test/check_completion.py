#!/usr/bin/env python3
"""The completions know every verb and option of the tool, and none besides; the shells that are
installed can read them; and bash completes with its own.

usage: check_completion.py COMPLETION_DIR REDLOCK
"""

import pathlib
import re
import shutil
import subprocess
import sys

VERBS = ("run", "lock", "extend", "unlock", "status", "cluster", "help")
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[A-Za-z])(?![\w-])")
FILES = {"bash": "redlock.bash", "zsh": "_redlock", "fish": "redlock.fish"}
# The line as bash breaks it, the cursor at its end, and what is to be offered: all of it, or some.
BASH = [
    (["redlock", ""], set(VERBS), "all"),
    (["redlock", "st"], {"status"}, "all"),
    (["redlock", "run", "--no-"], {"--no-wait", "--no-restart-guard"}, "all"),
    (["redlock", "run", "--ttl", "=", "5s", "--fe"], {"--fence"}, "all"),
    (["redlock", "run", "--ttl", ""], set(), "all"),
    (["redlock", "extend", "--fe"], set(), "all"),
    (["redlock", "unlock", "jobs", "--js"], set(), "all"),
    (["redlock", "run", "--node", "redis", ":", "//a", ":", "1", "--fe"], {"--fence"}, "all"),
    (["redlock", "--node", "un"], {"unix:///"}, "all"),
    (["redlock", "lock", "--nodes-file", "/etc/pass"], {"/etc/passwd"}, "some"),
    (["redlock", "lock", "--nodes-file", "=", "/etc/pass"], {"/etc/passwd"}, "some"),
    (["redlock", "run", "jobs", ":", "42", "ech"], {"echo"}, "some"),
    (["redlock", "run", "jobs", "--", "ech"], {"echo"}, "some"),
    (["redlock", "run", "jobs", "cat", "/etc/pass"], {"/etc/passwd"}, "some"),
    (["redlock", "run", "jobs", ":", "ech"], set(), "all"),
    (["redlock", "cluster", "st"], {"start", "stop", "status"}, "all"),
    (["redlock", "cluster", "start", "--po"], {"--port"}, "all"),
    (["redlock", "help", "ex"], {"extend"}, "all"),
]
COMPLETE = """. "$1"; shift
complete -p redlock >/dev/null || exit 1
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_redlock
printf '%s\\n' "${COMPREPLY[@]}"
"""


def spelled(shell, text):
    """The options that a file knows, as one would write them."""
    text = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    if shell == "fish":
        text = "\n".join(re.findall(r"^complete .*$", text, re.MULTILINE))
        known = {f"--{name}" for name in re.findall(r" -l ([a-z-]+)", text)}
        return known | {f"-{letter}" for letter in re.findall(r" -s (\w)", text)}
    return set(re.findall(r"(?<![\w-])(--[a-z][a-z-]*|-[A-Za-z])(?=[=+\[\]\s,}\"|)])", text))


def bash_options(path, verb):
    done = subprocess.run(
        ["bash", "-c", '. "$1"; _redlock_options "$2"', "bash", path, verb],
        capture_output=True, text=True, check=True,
    )
    return set(done.stdout.split())


def told(tool, verb):
    done = subprocess.run([tool, verb, "--help"], capture_output=True, text=True, check=True)
    return set(OPTION.findall(done.stdout))


def option_faults(place, tool):
    everything = set().union(*(told(tool, verb) for verb in VERBS))
    for shell, name in FILES.items():
        text = (place / name).read_text(encoding="utf-8")
        known = spelled(shell, text)
        for option in sorted(everything - known):
            yield f"{name}: not there: {option}"
        for verb in VERBS:
            if not re.search(rf"\b{verb}\b", text):
                yield f"{name}: not there: {verb}"
        if shell != "bash":  # Its own commands have options, too.
            foreign = {"-a", "-C", "-A", "-e"} if shell == "zsh" else set()
            for option in sorted(known - everything - foreign):
                yield f"{name}: {option} is no option of the tool"


def bash_faults(path, tool):
    # The help of help is that of the whole tool.
    for verb in VERBS[:-1]:
        wrong = bash_options(path, verb) ^ told(tool, verb)
        if wrong:
            yield f"{path.name}: {verb}: offered or told, and not both: {sorted(wrong)}"
    for words, wanted, how in BASH:
        done = subprocess.run(
            ["bash", "--norc", "-c", COMPLETE, "bash", path, *words],
            capture_output=True, text=True, check=False,
        )
        offered = set(done.stdout.split("\n")) - {""}
        good = offered == wanted if how == "all" else offered >= wanted
        if done.returncode != 0 or done.stderr or not good:
            yield f"{path.name}: {words}: offered {sorted(offered)[:9]} {done.stderr}"


def read_faults(place):
    for shell, name in FILES.items():
        if shutil.which(shell) is None:
            print(f"{name}: not read, {shell} is not installed")
            continue
        done = subprocess.run(
            [shell, "-n", place / name], capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or done.stderr:
            yield f"{name}: {shell}: {done.stderr}"


def main():
    place, tool = pathlib.Path(sys.argv[1]), sys.argv[2]
    faults = [*option_faults(place, tool), *read_faults(place)]
    if shutil.which("bash"):
        faults += bash_faults(place / FILES["bash"], tool)
    print(*faults, sep="\n")
    print(f"{len(FILES)} shells, {len(BASH)} lines completed, {len(faults)} faults")
    sys.exit(1 if faults else 0)


main()
