"""Runs a command in a pseudo-terminal of its own, with pipes for MCP over standard input and output, as a client in a terminal does. Prints what happened as JSON.
usage: terminal.py WHAT TOOL ARGUMENTS COMMAND...    WHAT: once, no, wrong (a wrong number first, then no), hang-up (the terminal closes), ctrl-c"""
import json, os, pty, re, select, signal, sys, time

what, tool, arguments, command = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4:]
from_us, to_command = os.pipe()
from_command, to_us = os.pipe()
pid, terminal = pty.fork()
if pid == 0:
    os.dup2(from_us, 0)
    os.dup2(to_us, 1)
    for descriptor in (from_us, to_command, from_command, to_us):
        os.close(descriptor)
    # A program that a shell started in the background was told to pass over Ctrl-C, and hands that on; one in a terminal was not.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execvp(command[0], command)
os.close(from_us)
os.close(to_us)
heard = {terminal: b"", from_command: b""}
closed = set()


def send(message):
    os.write(to_command, (json.dumps({"jsonrpc": "2.0", **message}) + "\n").encode())


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        open_ones = [descriptor for descriptor in heard if descriptor not in closed]
        if time.monotonic() > end or not open_ones:
            print(json.dumps({"failed": True, "shown": heard[terminal].decode("utf-8", "replace"), "said": heard[from_command].decode("utf-8", "replace")}))
            os.kill(pid, 9)
            sys.exit(0)
        for descriptor in select.select(open_ones, [], [], 1)[0]:
            try:
                read = os.read(descriptor, 65536)
            except OSError:
                read = b""
            heard[descriptor] += read
            if not read:
                closed.add(descriptor)


def reply(identifier):
    def look():
        for line in heard[from_command].split(b"\n")[:-1]:
            message = json.loads(line)
            if message.get("id") == identifier:
                return message
    return until(look)


def children():
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return [int(child) for child in listed.read().split()] + [
            int(child) for thread in os.listdir(f"/proc/{pid}/task") for child in open(f"/proc/{pid}/task/{thread}/children").read().split()]


def ended(seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if terminal not in closed and select.select([terminal], [], [], 0.05)[0]:
            try:
                heard[terminal] += os.read(terminal, 65536)
            except OSError:
                closed.add(terminal)
    os.kill(pid, 9)
    return None


send({"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "terminal", "version": "1"}}})
reply(1)
send({"method": "notifications/initialized"})
answer = None
if what == "ctrl-c":
    send({"id": 2, "method": "tools/list"})
    reply(2)
    started = children()
    os.write(terminal, b"\x03")
    code = ended()
    time.sleep(0.2)
    left = [child for child in started if os.path.exists(f"/proc/{child}") and open(f"/proc/{child}/stat").read().split(") ")[1][0] != "Z"]
else:
    send({"id": 2, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
    number = until(lambda: re.search(rb"once (\d{4}) =", heard[terminal])).group(1).decode()
    until(lambda: heard[terminal].endswith(b"> "))
    if what == "hang-up":
        os.close(terminal)
        closed.add(terminal)
        os.close(to_command)
    elif what == "wrong":
        os.write(terminal, f"once {(int(number) + 1) % 10000}\n".encode())
        until(lambda: b"Answer with a word" in heard[terminal])
        os.write(terminal, b"no\n")
    else:
        os.write(terminal, (what if what == "no" else f"{what} {number}").encode() + b"\n")
    if what != "hang-up":
        answer = reply(2)
        os.close(to_command)
    code = ended()
    started, left = [], []
print(json.dumps({"exit": code, "shown": heard[terminal].decode("utf-8", "replace"), "answer": answer, "servers": len(started), "left": left}))
