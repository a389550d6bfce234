"""Take turns under a limit of calls by one script on Redis: one key and one round trip for each turn.

Redis' own clock counts, so hosts need not agree about the time. A caller gets the seconds that it has to wait.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Any, Final
from weakref import WeakKeyDictionary

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.redis import RedisCacheClient

from .events import Event
from .exceptions import RateLimited

SCRIPT: Final = """
local rate, patience, period = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local moments = {}
for number in string.gmatch(redis.call('GET', KEYS[1]) or '', '%d+') do
    moments[#moments + 1] = tonumber(number)
end
-- If the clock has gone back since the last turn was taken, the turns go back with it.
local back = math.max((table.remove(moments, 1) or now) - now, 0)
for index = 1, #moments do
    moments[index] = moments[index] - back
end
local last, first_of_second = moments[#moments], moments[#moments - rate + 1]
local at = math.max(now, last or now)
if first_of_second and first_of_second + 2 * period > now then
    at = math.max(at, first_of_second + period, last + math.ceil(period / rate / 2))
end
if at - now > patience then
    return at - now
end
local state = {string.format('%.0f', now)}
for index = math.max(#moments - rate + 2, 1), #moments do
    state[#state + 1] = string.format('%.0f', moments[index])
end
state[#state + 1] = string.format('%.0f', at)
redis.call('SET', KEYS[1], table.concat(state, ' '), 'PX', math.ceil((at - now + 2 * period) / 1000))
return at - now
"""
"""Takes the next turn, unless it is more than `patience` away. Returns how far away it is. All in microseconds.

The key holds the time when the last turn was taken, and the moments of the last `rate` turns, in order. It expires
when it has no effect any more. If Redis' clock jumps forward, turns that were taken before don't count.
"""

_SHA: Final = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()

_LONGEST: Final = 10.0**9
"""The longest patience that a script is told, in seconds: Lua's numbers are exact up to 2^53."""

_REFUSALS: Final = (
    "NoPermissionError",  # NOPERM: an ACL forbids scripts
    "executing the script can't run this command",  # or one of this script's commands
    "unknown command",  # a proxy or a hosted Redis without scripts
    "CrossSlotError",
    "CROSSSLOT",
)

_refusing: set[str] = set()
"""Aliases of caches whose servers have refused the script."""

_refusing_lock = threading.Lock()

_clients: WeakKeyDictionary[RedisCacheClient, Any] = WeakKeyDictionary()
"""The clients of caches. Django has a cache for each thread, so no two threads look for the same one."""


def seconds_until_turn(
    cache: BaseCache, alias: str, name: str, *, rate: int, period: float, patience: float
) -> float | None:
    """Take the next turn. Return in how many seconds it is, or None if this cache has no Redis that runs the script.

    A server that has refused the script is not asked again by this process.

    Args:
        cache, alias: the cache and its alias.
        name: the cache key of what the limit applies to.
        rate: how many turns there are in a period.
        period: seconds.
        patience: the longest wait, in seconds.

    Raises:
        RateLimited: the next turn is later than that; it was not taken.
        Exception: what the client raises when the server is away or in trouble.
    """
    if alias in _refusing:
        return None
    key = cache.make_key(name)
    client = _client(cache, key)
    if client is None:
        return None
    longest = int(min(patience, _LONGEST) * 1_000_000)
    try:
        delay = _run(client, 1, key, rate, longest, int(period * 1_000_000))
    except Exception as error:
        if not _is_refusal(error):
            raise
        _note_refusal(alias, error)
        return None
    if delay > longest:  # compared as the script did
        raise RateLimited(reason="own_limit", retry_after=delay / 1_000_000)
    return delay / 1_000_000


def _client(cache: BaseCache, key: str) -> Any | None:
    """Return the client of a cache of Django or django-redis for the server that is written to, or None."""
    of_django: Any = getattr(cache, "_cache", None)
    if isinstance(of_django, RedisCacheClient) and type(of_django).get_client is RedisCacheClient.get_client:
        # It makes a client each time, which costs as much as the script. The server doesn't depend on the key.
        if of_django not in _clients:
            _clients[of_django] = of_django.get_client(key, write=True)
        return _clients[of_django]
    if hasattr(of_django, "get_client"):
        client = of_django.get_client(key, write=True)
    else:
        of_django_redis = getattr(getattr(cache, "client", None), "get_client", None)
        try:
            client = None if of_django_redis is None else of_django_redis(write=True)
        except NotImplementedError:  # its ShardClient, which has a server for each key
            client = None
    return client if hasattr(client, "evalsha") else None


def _run(client: Any, *arguments: Any) -> int:
    """Run the script, which the server knows unless it is new or was restarted. Return what it answers."""
    try:
        answer: int = client.evalsha(_SHA, *arguments)
    except Exception as error:
        if type(error).__name__ != "NoScriptError":  # redis and its forks each have a class of that name
            raise
        answer = client.eval(SCRIPT, *arguments)
    return answer


def _is_refusal(error: Exception) -> bool:
    text = f"{type(error).__name__} {error}"
    return any(each in text for each in _REFUSALS)


def _note_refusal(alias: str, error: Exception) -> None:
    with _refusing_lock:
        if alias not in _refusing:
            _refusing.add(alias)
            Event.CACHE_SCRIPT_REFUSED.log(cache=alias, error=type(error).__name__)
