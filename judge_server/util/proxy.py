"""Proxies as the environment names them: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case."""

from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def proxy_of(url: str) -> str | None:
    """The proxy through which the environment wants ``url`` to be reached; None for loopback, whatever it says."""
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or on_loopback(parts.hostname or "") or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


class Proxies(dict[str, str | None]):
    """``proxy_of`` each address, found out once."""

    def __missing__(self, url: str) -> str | None:
        self[url] = found = proxy_of(url)
        return found


def on_loopback(host: str) -> bool:
    """``host``: a name or an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def via(proxy: str | None) -> str:
    """For messages: which proxy was used, without its user and password; empty for none."""
    if proxy is None:
        return ""
    scheme, _, rest = proxy.partition("://")
    return f", asked through the proxy {scheme}://{rest.rpartition('@')[2]},"
