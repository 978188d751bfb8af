"""What a browser shows to somebody who is refused: why, what to do, and it tries again by itself.

A page with one style sheet and one script in it, which the policy names by their hashes. The script
loads the page again once that is let in, and not before: nobody is interrupted while reading. It is
made once for each reason, so that a refusal costs no more than its bytes.
"""

import base64
import hashlib
from functools import cache
from html import escape
from typing import Final

RETRY_S: Final = 10
_STYLE: Final = (
    ":root{color-scheme:light dark;--g:#f5f4f1;--c:#fff;--l:#dedbd4;--i:#22252b;--s:#5b616d;"
    "--a:#2f5d8c;font:16px/1.5 system-ui,sans-serif}"
    "@media(prefers-color-scheme:dark){:root{--g:#14161a;--c:#1d2026;--l:#343942;--i:#eceef2;"
    "--s:#a8afbb;--a:#8db9e8}}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--g);"
    "color:var(--i)}main{max-width:34rem;margin:16px;padding:24px;background:var(--c);"
    "border:1px solid var(--l);border-radius:14px}h1{font-size:1.4rem;margin:0 0 8px}"
    "p{margin:0 0 12px}b{color:var(--a)}code{overflow-wrap:anywhere}"
    ".b{display:block;margin-top:4px}"
    ".s{color:var(--s);"
    "font-size:.9rem;margin:0}"
)
_SCRIPT: Final = (
    "setInterval(()=>fetch(location.href,{method:'HEAD'}).then("
    f"(answer)=>answer.ok&&location.reload(),()=>0),{1000 * RETRY_S})"
)
_PAGE: Final = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} · Streamer</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style></head>
<body><main><h1>{title}</h1><p>{why}</p>
<p>Streamer prints the address of its pages when it starts, with a key at its end:
<code>http://…/?token=…</code> Open <b>that whole address</b>. The key is new for each start, unless
<code>--keep-token</code> keeps it; a service shows its address with
<code>streamer service token</code>.</p>
<p>From another machine, forward a port to the one where Streamer runs, and open the same address
here: <code class="b">ssh -L 8765:127.0.0.1:8765 USER@HOST</code></p>
<p class="s">This page tries again every {retry} seconds.</p></main>
<script>{script}</script></body></html>
"""
_TITLE: Final = "This browser has no key yet"


@cache
def refusal_page(why: str) -> bytes:
    """The page for one of our own reasons, as UTF-8."""
    return _PAGE.format(
        title=_TITLE, why=escape(why), style=_STYLE, script=_SCRIPT, retry=RETRY_S
    ).encode()


@cache
def policy() -> bytes:
    """Its content security policy: its style and script, requests to this server, nothing else."""
    return (
        f"default-src 'none'; style-src '{_hash(_STYLE)}'; script-src '{_hash(_SCRIPT)}'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ).encode()


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
