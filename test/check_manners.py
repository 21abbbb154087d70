#!/usr/bin/env python3
"""The library behaves as a guest in another's program: it ends no process and starts none, writes to
no stream, touches no signal, draws no chance that can be guessed, goes by no clock that is set, and
puts no thread to sleep.

usage: check_manners.py NM LIBREDLOCK.A
"""

import re
import subprocess
import sys

RUDE = {
    "ends the process": "exit _exit _Exit quick_exit abort atexit on_exit",
    "starts a process": "fork vfork clone system popen execve execv execvp execl posix_spawn",
    "writes to a stream": "printf fprintf vprintf vfprintf dprintf vdprintf puts fputs putchar putc "
    "fputc fwrite perror psignal syslog openlog stdout stderr",
    "touches a signal": "signal sigaction sigprocmask pthread_sigmask raise kill alarm setitimer",
    "can be guessed": "rand rand_r srand random srandom drand48 lrand48 mrand48",
    "is a clock in seconds, or of a place": "time ftime gettimeofday localtime localtime_r mktime",
    "sleeps": "sleep usleep nanosleep clock_nanosleep pause select poll gethostbyname",
    "changes what is the program's": "setenv putenv unsetenv setlocale chdir umask setrlimit",
}
# The library's own thread takes none of the program's signals, for which it has to be born so.
EXCUSED = {("pthread_sigmask", "blocking.c.o")}
FORTIFIED = re.compile(r"^__(\w+)_chk$")


def main():
    nm, archive = sys.argv[1:]
    listed = subprocess.run([nm, "-u", archive], check=True, capture_output=True, text=True).stdout
    used, member = set(), ""
    for line in listed.splitlines():
        if line.endswith(":"):
            member = line[:-1]
        elif re.match(r"\s+[Uw] ", line) and (line.split()[-1].partition("@")[0], member) not in EXCUSED:
            used.add(line.split()[-1])
    plain = {FORTIFIED.sub(r"\1", name.partition("@")[0]) for name in used}
    faults = [
        f"{name}: {what}" for what, names in RUDE.items() for name in names.split() if name in plain
    ]
    print(f"{len(used)} functions of others are called")
    print("\n".join(sorted(faults)))
    sys.exit(1 if faults or not used else 0)


main()
