"""redlock.py - libredlock for Python, by ctypes upon redlock/blocking.h.

    urls = ["redis://a", "redis://b", "redis://c"]
    with redlock.Client(urls) as nodes, nodes.lock("jobs:42", wait=5) as lock:
        ...                              # as long as lock.held

Copy this file beside your program. It loads libredlock.so.0, or what REDLOCK_LIBRARY names. Other
threads run on while a call waits. A lock is a lease: it can end before it is given back, so ask
lock.held right before what it guards. Times are in seconds. For asyncio: aredlock.py.
"""

import concurrent.futures
import ctypes
import math
import os
import threading
import time


class Error(Exception):
    """status is one of REDLOCK_E...; the words say what each node has against it."""

    def __init__(self, status, words):
        super().__init__(words)
        self.status = status


class Held(Error):
    """Somebody else has it, or had it until the wait was over."""


class Lost(Error):
    """It was not ours any more, so somebody else may have been at what it guards."""


class NoQuorum(Error):
    """Too few nodes can vote."""


class Cancelled(Error):
    """By cancel() of another thread, or since the client is closed."""


# REDLOCK_EHELD, _ETIMEDOUT; _ENOQUORUM; _EEXPIRED, _ELOST; _ECANCELED, _ECLOSED.
_KINDS = {-4: Held, -6: Held, -5: NoQuorum, -7: Lost, -8: Lost, -9: Cancelled, -10: Cancelled}
_int, _u32, _u64 = ctypes.c_int, ctypes.c_uint32, ctypes.c_uint64
_size, _at, _text, _by = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_char_p, ctypes.byref


# The first fields of the structs are enough: the library takes the others as defaults.
class _Options(ctypes.Structure):
    _fields_ = [("size", _size), ("ttl_ms", _u32), ("max_ttl_ms", _u32)]


class _LockOptions(ctypes.Structure):
    _fields_ = [("size", _size), ("ttl_ms", _u32), ("at_risk_ms", _u32), ("max_hold_ms", _u64)]
    _fields_ += [("auto_renew", ctypes.c_bool), ("fence", ctypes.c_bool)]


# More text than the library has, in case that a later one has more to say.
class _Why(ctypes.Structure):
    _fields_ = [("status", _int), ("text", ctypes.c_char * 4096)]


_lib = ctypes.CDLL(os.environ.get("REDLOCK_LIBRARY", "libredlock.so.0"))


def _function(name, result, *arguments):
    return ctypes.CFUNCTYPE(result, *arguments)(("redlock_" + name, _lib))


_options_init = _function("options_init_sized", None, _at, _size)
_lock_options_init = _function("lock_options_init_sized", None, _at, _size)
_open = _function("blocking_open", _int, _at, _at, _size, _at, _at)
_close = _function("blocking_close", _int, _at)
_new = _function("mutex_new", _int, _at, _at, _text, _size, _at)
_free = _function("mutex_free", None, _at)
_lock = _function("mutex_lock", _int, _at, _u64, _at)
_extend = _function("mutex_extend", _int, _at, _at)
_unlock = _function("mutex_unlock", _int, _at, _at)
_cancel = _function("mutex_cancel", _int, _at)
_held = _function("mutex_held", ctypes.c_bool, _at)
_validity_ms = _function("mutex_validity_ms", _u64, _at)
_fence = _function("mutex_fence", _u64, _at)
_strerror = _function("strerror", _text, _int)


def _check(status, why=None):
    if status != 0:
        words = why.text if why else _strerror(status)
        raise _KINDS.get(status, Error)(status, words.decode(errors="replace"))


def _ms(seconds):
    return 2**64 - 1 if seconds is None else math.ceil(max(seconds, 0) * 1000)


def start(call, *arguments):
    """In a thread of its own: a pool may be full of those who wait for what is to be given back."""
    pool = concurrent.futures.ThreadPoolExecutor(1)
    future = pool.submit(call, *arguments)
    pool.shutdown(wait=False)
    return future


class Lock:
    """One holder or waiter at a time: threads that want one resource make a lock each.

    wait: for so long at most, None: for as long as it takes; ttl: length of the lease, 0: as the
    client has it; renew: until it is given back; fence: with a fencing token.
    """

    def __init__(self, client, resource, wait=None, ttl=0, renew=False, fence=False):
        self._client, self._wait, self._handle = client, wait, _at()
        options, name = _LockOptions(), resource.encode()
        _lock_options_init(_by(options), ctypes.sizeof(options))
        options.ttl_ms, options.auto_renew, options.fence = _ms(ttl), renew, fence
        with client._guard:
            status = _new(_by(self._handle), client._handle, name, len(name), _by(options))
        _check(status)

    def __del__(self):  # What is still held is given back.
        _free(self._handle)

    def _call(self, function, *arguments):
        why = _Why()
        _check(function(self._handle, *arguments, _by(why)), why)

    def acquire(self):
        """Raises Held when the wait is over."""
        if threading.current_thread() is not threading.main_thread() or self._wait == 0:
            return self._call(_lock, _ms(self._wait))
        waiting = start(self._call, _lock, _ms(self._wait))  # So that Ctrl-C gets through.
        try:
            waiting.result()
        except BaseException:
            self.abandon(waiting)
            raise

    def abandon(self, waiting):
        """End an acquire() that another thread has started, and give back what it has got."""
        while not waiting.done():
            self.cancel()
            time.sleep(0.005)  # It may not have begun, so once more.
        if waiting.exception() is None:
            self.__exit__(Cancelled)

    def extend(self):
        """For its full TTL again. A failure changes nothing."""
        self._call(_extend)

    def release(self):
        """Raises Lost if it was not ours any more."""
        self._call(_unlock)

    def cancel(self):
        """End another thread's acquire() or extend(). False: none has begun."""
        return _cancel(self._handle) == 0

    held = property(lambda self: _held(self._handle))
    validity = property(lambda self: _validity_ms(self._handle) / 1000)
    fence = property(lambda self: _fence(self._handle))

    def __enter__(self):
        self.acquire()
        return self

    def __exit__(self, kind, *exception):
        try:
            self.release()
        except Error:
            if kind is None:  # The first trouble is the one to tell.
                raise


class Client:
    """Connections to all nodes, and a thread that serves them."""

    def __init__(self, urls, ttl=10, max_ttl=60):
        self._handle, self._guard, options, why = _at(), threading.Lock(), _Options(), _Why()
        _options_init(_by(options), ctypes.sizeof(options))
        options.ttl_ms, options.max_ttl_ms = _ms(ttl), _ms(max_ttl)
        texts = (_text * len(urls))(*(url.encode() for url in urls))
        _check(_open(_by(self._handle), texts, len(urls), _by(options), _by(why)), why)

    def lock(self, resource, wait=None, **options):
        return Lock(self, resource, wait, **options)

    def close(self):
        """What is held is given back, and waits end."""
        with self._guard:
            status, self._handle = _close(self._handle), None
        _check(status)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
