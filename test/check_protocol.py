#!/usr/bin/env python3
"""docs/protocol.md is what goes over the wire: its scripts are the library's, and its conversations
are held word for word between the tool and this program, which plays the server.

usage: check_protocol.py SOURCE_ROOT REDLOCK

A conversation is a command line ("$ redlock ... = EXIT CODE"), then what the tool sends ("> WORD...")
and what it is answered ("< +OK", :1, nil, "text", [...], -ERR text). "> (logs in)" stands for the
first conversation's log-in without a password, "(input ends)" for the end of the tool's standard
input. ">>" and "<<" are the same on a second connection, which is made when it is spoken of first;
"(in pauses, until it has heard)" stands for more attempts that are refused. Among the words, and in
replies, <name> is any token, number or text that is the same wherever it stands, <text of x> a
script and <sha1 of x> its digest.
"""

import hashlib
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time

PATIENCE_S = 30
LOGIN = [
    "> HELLO 2 SETNAME redlock",
    '< ["server" "redis" "version" "7.0.15" "proto" :2 "id" :7 "mode" "standalone"'
    ' "role" "master" "modules" []]',
    "> INFO server",
    "> INFO memory",
    "> INFO replication",
    "> CONFIG GET *append*",
    '< "run_id:0f3a9c\\r\\n"',
    '< "maxmemory_policy:noeviction\\r\\n"',
    '< "role:master\\r\\n"',
    '< ["appendonly" "yes" "appendfsync" "always"]',
    "> EVAL <text of enrol> 1 redlock:incarnation 0f3a9c 1",
    '< ["1" "1790000000000000"]',
]
NAMED = {
    "token": rb"[g-v]{32}",
    "T": rb"[1-9][0-9]{15}",
    "since": rb"[1-9][0-9]{15}",
    "caller": rb"[0-9a-f]{12}",
    "keep": rb"[0-9]{4}",
    "name": rb"[0-9a-f]{8}",
    "seq": rb"[0-9a-f]{8}",
}
NAME = re.compile(r"<(([A-Za-z]+)\d?)>")


class Fault(Exception):
    pass


STRING = r'"(?:[^"\\]|\\.)*"'


def expand(source):
    """Macros that stand for a part of a script are written out."""
    argument = rf"(?:{STRING}|\w+)"

    def write_out(text, macros):
        for name, (parameters, body) in reversed(macros.items()):
            if not parameters:
                text = re.sub(rf"\b{name}\b", lambda _: body, text)
                continue
            text = re.sub(
                rf"\b{name}\(({argument}(?:, {argument})*)\)",
                lambda use: replace(body, dict(zip(parameters, re.findall(argument, use.group(1))))),
                text,
            )
        return text

    def replace(body, values):
        return re.sub(argument, lambda word: values.get(word.group(), word.group()), body)

    macros = {}

    def take(define):
        body = write_out(re.sub(r"\s*\\\n\s*", "\n", define[3]), macros)
        macros[define[1]] = ((define[2] or "").split(", ") if define[2] else [], body)
        return ""

    source = re.sub(
        r"^#define (\w+)(?:\((\w+(?:, \w+)*)\))?[ \t]+((?:.*\\\n)*.*)$", take, source, flags=re.MULTILINE
    )
    return write_out(source, macros)


def scripts_of(source):
    """Name, text and digest of each script in script.c."""
    source = expand(source)
    for name, literal, digest in re.findall(
        r'\[RLK_SCRIPT_(\w+)\] = \{\s*((?:"(?:[^"\\]|\\.)*"\s*)+),\s*"(\w{40})",', source
    ):
        text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literal))
        yield name.lower().replace("_", "-"), text.encode().decode("unicode_escape"), digest


def check_scripts(paper, scripts):
    shown = dict(re.findall(r"^### ([\w-]+)$.*?^```lua\n(.*?)\n```$", paper, re.MULTILINE | re.DOTALL))
    if shown.keys() != scripts.keys():
        raise Fault(f"scripts {sorted(shown)}, but the library has {sorted(scripts)}")
    for name, (text, digest) in scripts.items():
        if shown[name] != text:
            raise Fault(f"script {name}: not the library's text")
        if hashlib.sha1(text.encode()).hexdigest() != digest or f"`{digest}`" not in paper:
            raise Fault(f"script {name}: digest {digest}")


def check_floor(root, scripts):
    """The benchmark's floor has the same work done as the library: the beginning of its release."""
    source = (root / "bench/floor_conns.c").read_text(encoding="utf-8")
    literal = re.search(r"floor_release_script\[\] =((?:\s*\"(?:[^\"\\]|\\.)*\")+);", source)
    text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literal.group(1)))
    if not scripts["release"][0].startswith(text.encode().decode("unicode_escape")):
        raise Fault("bench/floor_conns.c: its release does not begin as the library's")


# ---- Bytes ---------------------------------------------------------------------------------------


def bulk(word):
    return b"$%d\r\n%s\r\n" % (len(word), word)


def reply_bytes(text):
    """The reply written in TEXT, and what follows it."""
    text = text.lstrip(" ")
    if text.startswith("["):
        items, rest = [], text[1:].lstrip(" ")
        while not rest.startswith("]"):
            item, rest = reply_bytes(rest)
            items.append(item)
            rest = rest.lstrip(" ")
        return b"*%d\r\n" % len(items) + b"".join(items), rest[1:]
    quoted = re.match(r'"((?:[^"\\]|\\.)*)"', text)
    if quoted:
        word = quoted.group(1).encode().decode("unicode_escape").encode()
        return bulk(word), text[quoted.end() :]
    if text.startswith("nil"):
        return b"$-1\r\n", text[3:]
    line = re.match(r":-?\d+|[+-].*", text)
    if not line:
        raise Fault(f"no reply: {text}")
    return line.group().encode() + b"\r\n", text[line.end() :]


def read_command(stream):
    """One command as a list of words, or None at the end."""
    head = stream.readline()
    if not head:
        return None
    words = []
    for _ in range(int(head[1:])):
        size = int(stream.readline()[1:])
        words.append(stream.read(size + 2)[:-2])
    if head != b"*%d\r\n" % len(words):
        raise Fault(f"not a command: {head!r}")
    return words


# ---- A conversation ------------------------------------------------------------------------------


class Server:
    """Plays the part of the server in one conversation."""

    def __init__(self, listener, scripts, tool):
        self.listener, self.scripts, self.tool, self.names = listener, scripts, tool, {}
        self.heard, self.streams = [], []

    def stream(self, which):
        """The first or the second connection."""
        if which == len(self.streams):
            connection, _ = self.listener.accept()
            connection.settimeout(PATIENCE_S)
            with connection:
                self.streams.append(connection.makefile("rwb"))
        return self.streams[which]

    def pattern(self, word):
        """What WORD may be; and the names in it that are heard for the first time."""
        if word == '""':
            return b"", []
        text = re.fullmatch(r"<(text|sha1) of ([\w-]+)>", word)
        if text:
            return re.escape(self.scripts[text.group(2)][text.group(1) == "sha1"].encode()), []
        pieces, at, new = [], 0, []
        for name in NAME.finditer(word):
            pieces.append(re.escape(word[at : name.start()].encode()))
            if name.group(1) in self.names:
                pieces.append(re.escape(self.names[name.group(1)]))
            else:
                pieces.append(b"(" + NAMED[name.group(2)] + b")")
                new.append(name.group(1))
            at = name.end()
        return b"".join(pieces) + re.escape(word[at:].encode()), new

    def fits(self, word, sent):
        pattern, new = self.pattern(word)
        found = re.fullmatch(pattern, sent)
        for name, value in zip(new, found.groups() if found else ()):
            if value in self.names.values():
                raise Fault(f"<{name}> is not new")
            self.names[name] = value
        return found is not None

    def hear(self, line, which, sent=None):
        words = re.findall(r"<(?:text|sha1) of [\w-]+>|\S+", line)
        sent = sent or read_command(self.stream(which))
        if len(words) != len(sent or []) or not all(map(self.fits, words, sent)):
            raise Fault(f"the paper has: {line}\nthe tool sent: {sent}")
        self.heard.append(b"*%d\r\n" % len(sent) + b"".join(map(bulk, sent)))

    def say(self, line, which):
        line = NAME.sub(lambda name: self.names[name.group(1)].decode(), line)
        self.stream(which).write(reply_bytes(line)[0])
        self.stream(which).flush()

    def refuse(self):
        """Attempts under other tokens, until something else comes: returns that."""
        while True:
            sent = read_command(self.stream(0))
            if sent and sent[0] == b"SET":
                self.say("nil", 0)
            elif sent and sent[0] == b"PTTL":
                self.say(":7000", 0)
            else:
                return sent

    def play(self, lines):
        sent = None
        for line in lines:
            what, _, rest = line.partition(" ")
            if line == "(input ends)":
                self.tool.stdin.close()
            elif line == "(in pauses, until it has heard)":
                sent = self.refuse()
            elif line == "> (logs in)":
                self.play(LOGIN)
            elif what in (">", ">>"):
                self.hear(rest, what == ">>", sent)
                sent = None
            elif what in ("<", "<<"):
                self.say(rest, what == "<<")
            else:
                raise Fault(f"not a line of a conversation: {line}")
        return sent

    def end(self):
        """Nothing more is sent on any connection."""
        for stream in self.streams:
            more = read_command(stream)
            if more is not None:
                raise Fault(f"the tool went on: {more}")

    def close(self):
        for stream in self.streams:
            stream.close()


def hold(tool, scripts, text):
    """Returns the bytes of each command."""
    first, *lines = text.strip().split("\n")
    command, code = re.fullmatch(r"\$ redlock (.*?) += (\d+)", first).groups()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        here = f"127.0.0.1:{listener.getsockname()[1]}"
        verb, *words = shlex.split(command.replace("127.0.0.1:6401", here))
        env = {**os.environ, "REDLOCK_NODES": f"redis://{here}"}
        with subprocess.Popen(
            # However long this program is kept from answering.
            [tool, verb, "--node-timeout", f"{PATIENCE_S}s", *words],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process:
            server = Server(listener, scripts, process)
            try:
                server.play(lines)
                server.end()
                ended = process.wait(PATIENCE_S)
            except (Fault, OSError, subprocess.TimeoutExpired) as fault:
                process.kill()
                said = process.stderr.read().decode()
                raise Fault(f"{first}\n{type(fault).__name__}: {fault}\n{said}") from fault
            finally:
                server.close()
        if ended != int(code):
            raise Fault(f"{first}\nended with {ended}")
    return server.heard


def check_bytes(paper, heard):
    """Blocks of bytes are commands that were heard, apart from their token."""
    shown = re.findall(r"^```bytes\n(.*?)\n```$", paper, re.MULTILINE | re.DOTALL)
    for text in shown:
        pattern = re.escape(text.replace("\n", "").encode().decode("unicode_escape").encode())
        pattern = pattern.replace(b"<token>", NAMED["token"])
        if not any(re.fullmatch(pattern, command) for command in heard):
            raise Fault(f"nobody sent: {text}")
    return len(shown)


# ---- Rights --------------------------------------------------------------------------------------


def check_rights(tool, paper):
    """The user that the paper makes can do all that a lock does, then read beside others, and then
    wait in line. Returns what was found out."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    rights, more_rights, reader_rights = re.findall(r"^(ACL SETUSER lock .*)$", paper, re.MULTILINE)
    if program is None:
        return "no server here to try the rights on"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="redlock-protocol-") as place:
        options = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", place]
        with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL) as process:
            try:
                set_user(int(port), rights)
                words = [tool, "run", "--ttl", "3s", "--key-format", "lock:%s"]
                words += ["--no-restart-guard", "--node"]
                words += [f"redis://lock:PASSWORD@127.0.0.1:{port}"]
                for more in (["-n"], ["-n", "--fence"], ["-n", "--shared"]):
                    if "--shared" in more:
                        set_user(int(port), reader_rights)
                    # Long enough for a renewal.
                    run = [*words, *more, "jobs:42", "sleep", "1.5"]
                    subprocess.run(run, check=True, timeout=PATIENCE_S)
                set_user(int(port), more_rights)
                run = [*words, "-w", str(PATIENCE_S), "jobs:42", "sleep", "0.2"]
                for one in [subprocess.Popen(run) for _ in range(3)]:
                    if one.wait(PATIENCE_S) != 0:
                        raise Fault(f"not enough to wait: {more_rights}")
            except subprocess.CalledProcessError as fault:
                raise Fault(f"not enough: {rights}") from fault
            finally:
                process.kill()
    return "its rights are enough"


def set_user(port, rights):
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
                connection.sendall(rights.encode() + b"\r\n")
                answer = connection.recv(1000)
            break
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
    if answer != b"+OK\r\n":
        raise Fault(f"{rights}: {answer}")


def main():
    root, tool = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    paper = (root / "docs/protocol.md").read_text(encoding="utf-8")
    header = (root / "include/redlock/redlock.h").read_text(encoding="utf-8")
    source = re.search(r"^#define REDLOCK_OWNER_READERS .*\n", header, re.MULTILINE)[0]
    source += (root / "lib/redis/script.c").read_text(encoding="utf-8")
    scripts = {name: (text, digest) for name, text, digest in scripts_of(source)}
    heard = []
    try:
        check_scripts(paper, scripts)
        check_floor(root, scripts)
        conversations = re.findall(
            r"^```conversation\n(.*?)^```$", paper, re.MULTILINE | re.DOTALL
        )
        for text in conversations:
            heard += hold(tool, scripts, text)
        shown = check_bytes(paper, heard)
        operations = (root / "docs/operations.md").read_text(encoding="utf-8")
        rights = check_rights(tool, operations)
    except Fault as fault:
        print(fault)
        sys.exit(1)
    print(
        f"{len(scripts)} scripts, {len(conversations)} conversations of {len(heard)} commands, "
        f"{shown} of them byte by byte; {rights}"
    )
    sys.exit(0 if scripts and conversations and shown else 1)


main()
