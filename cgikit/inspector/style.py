"""The style sheet and the script of the inspector's pages, and the policy that allows exactly these two
(Content Security Policy Level 3: hashes). Constants only.
"""

import base64
import hashlib

STYLE = """
:root{color-scheme:light dark;--ink:#1d2330;--soft:#5b6475;--line:#dfe3ea;--page:#f6f7f9;
--card:#fff;--link:#1a56c4;--warn:#9a3412;--warnbg:#fff4ec;--code:#f0f2f5;--ok:#166534;
--bar:#1a56c4}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#9aa4b5;--line:#2c3340;
--page:#12151b;--card:#1a1f28;--link:#8ab4ff;--warn:#fdba74;--warnbg:#2b2018;--code:#232a35;
--ok:#86efac;--bar:#8ab4ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:76rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.375rem;line-height:1.3;margin:.25rem 0 1rem;overflow-wrap:anywhere}
h2{font-size:1rem;margin:1.75rem 0 .5rem}
h1 code,h2 code{font-size:inherit}
h3{font-size:.875rem;color:var(--soft);margin:1rem 0 .25rem}
p{margin:.5rem 0}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.links a{display:inline-block;padding:.375rem .75rem .375rem 0;text-decoration:underline}
code,pre,textarea,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;
font-size:.875rem}
pre{background:var(--code);border-radius:6px;padding:.75rem 1rem;margin:.25rem 0;
white-space:pre-wrap;overflow-wrap:anywhere}
.soft{color:var(--soft)}.bad{color:var(--warn)}.ok{color:var(--ok)}
.note{border-left:4px solid var(--warn);background:var(--warnbg);padding:.5rem 1rem;
border-radius:0 6px 6px 0;margin:.5rem 0;overflow-wrap:anywhere}
.rows{list-style:none;margin:0;padding:0;background:var(--card);border:1px solid var(--line);
border-radius:8px}
.rows li{border-top:1px solid var(--line)}.rows li:first-child{border-top:0}
.rows a{display:grid;grid-template-columns:3.5rem 5rem 1fr 9rem 6rem;gap:.25rem .75rem;
padding:.6rem 1rem;color:var(--ink)}
.rows a:hover{background:var(--code);text-decoration:none}
.rows .what{overflow-wrap:anywhere}.rows .took{text-align:right}
.rows .more{grid-column:3/-1;color:var(--soft);font-size:.875rem;overflow-wrap:anywhere}
.rows+form button{margin-top:1rem}
.empty{padding:1rem}
.two{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:0 1.5rem}
table{border-collapse:collapse;width:100%;background:var(--card);border:1px solid var(--line);
font-size:.9375rem}
caption{text-align:left;color:var(--soft);font-size:.875rem;padding:.25rem 0}
th,td{text-align:left;vertical-align:top;padding:.375rem .75rem;border-top:1px solid var(--line);
overflow-wrap:anywhere}
td.mono{white-space:pre-wrap}
th{font-weight:500;width:35%}
td.number{text-align:right;width:7rem}
svg{display:block;width:100%;height:1rem}rect{fill:var(--bar)}
summary{cursor:pointer;padding:.375rem 0}
form.inline{display:inline}
label{display:block;margin:.75rem 0 .25rem}
input,select,textarea{width:100%;color:var(--ink);background:var(--card);
border:1px solid var(--soft);border-radius:6px;padding:.5rem .625rem;font-size:1rem}
textarea{resize:vertical;font-size:.875rem}
.source{counter-reset:line;padding:.75rem 0}
.source span{counter-increment:line;display:block;padding:0 1rem 0 4.5rem;position:relative}
.source span::before{content:counter(line);position:absolute;left:0;width:3.5rem;text-align:right;
color:var(--soft)}
.source span:target{background:var(--warnbg)}
.pair{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,2fr);gap:.5rem;margin:.375rem 0}
button,.button{display:inline-block;font:inherit;color:var(--ink);background:var(--card);
border:1px solid var(--soft);border-radius:6px;padding:.4375rem 1rem;margin:.25rem .5rem .25rem 0;
cursor:pointer}
button:hover,.button:hover{background:var(--code);text-decoration:none}
@media(max-width:46rem){.two{grid-template-columns:minmax(0,1fr)}
.rows a{grid-template-columns:2.5rem 1fr auto}.rows .time{display:none}
.rows .what{grid-column:2/-1}.rows .status{grid-column:2}.rows .more{grid-column:2/-1}
th,td{padding:.375rem .5rem}}
"""

#: The list brings itself up to date. Without it, the page is reloaded by hand.
SCRIPT = """
(() => {
  const list = document.getElementById('requests');
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch('/_cgikit/rows', {headers: {'X-Cgikit-Token': list.dataset.token}});
      if (!answer.ok) return;
      const rows = await answer.text();
      if (rows === list.dataset.seen) return;
      const at = document.activeElement && document.activeElement.getAttribute('href');
      list.innerHTML = list.dataset.seen = rows;
      for (const link of list.querySelectorAll('a'))
        if (at && link.getAttribute('href') === at) link.focus({preventScroll: true});
    } catch {}
  };
  setInterval(look, 1500);
})();
"""


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


POLICY = (
    f"default-src 'none'; style-src 'sha256-{_hash(STYLE)}'; script-src 'sha256-{_hash(SCRIPT)}'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

#: Header fields of every page.
HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "same-origin"),  # no-referrer would make the Origin of its forms "null"
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)
