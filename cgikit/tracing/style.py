"""The style sheets of a trace: that of the inspector's pages, and what its pictures need besides; and
the policy that allows exactly this sheet (Content Security Policy Level 3: hashes). Constants only.
"""

import base64
import hashlib

from cgikit.inspector.style import STYLE as _INSPECTOR

#: The colours of a picture that stands alone. `PAGE` has them for a page, too.
PALETTE = """
:root{color-scheme:light dark;--ink:#1d2330;--soft:#5b6475;--line:#dfe3ea;--card:#fff;
--cell:#dbe7fb;--edge:#7d93b8;--process:#6b7280;--python:#7c3aed;--own:#1a56c4;--import:#0f766e;
--after:#9a3412}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#9aa4b5;--line:#2c3340;
--card:#1a1f28;--cell:#22324d;--edge:#5f7bab;--process:#9aa4b5;--python:#c4a5fd;--own:#8ab4ff;
--import:#5eead4;--after:#fdba74}}
"""

#: What the pictures need, alone or in a page.
CHART = """
.chart{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.chart text{fill:var(--ink)}.chart .took,.chart .scale{fill:var(--soft)}
.chart .scale{font-size:11px}.chart .head{font-weight:700}
.chart line{stroke:var(--line);stroke-width:1}
.chart .fork,.chart .exec,.chart .reaped,.chart .other{fill:var(--process)}
.chart .interpreter,.chart .site,.chart .compile{fill:var(--python)}
.chart .script,.chart .program{fill:var(--own)}.chart .import{fill:var(--import)}
.chart .exit{fill:var(--after)}.chart .moment{fill:var(--ink)}
.chart .cell{fill:var(--cell);stroke:var(--edge);stroke-width:1}
.icicle text{font-size:12px}
"""

PAGE = (  # without white space at its ends, which the Nu Html Checker leaves out of the hash
    _INSPECTOR
    + PALETTE
    + """
svg.chart{height:auto;overflow:visible}
.wide{overflow-x:auto}
.wide table{min-width:100%;width:auto}
.wide th,.wide td{width:auto;white-space:nowrap}
.wide th.name{white-space:normal;min-width:7rem;overflow-wrap:anywhere}
.wide td.number{width:auto}
thead th{color:var(--soft);font-weight:600;font-size:.8125rem}
thead th.number{text-align:right}
.raw{padding:.5rem .75rem}
.raw .end{color:var(--soft);font-size:.75rem;margin-left:.25rem}
.raw .blank{display:block;border-top:1px solid var(--soft);border-bottom:1px solid var(--soft);
color:var(--soft);font-size:.75rem;margin:.25rem 0;padding:.125rem 0}
.hex{font-size:.75rem}
"""
    + CHART
).strip()

POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(PAGE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'"
)
