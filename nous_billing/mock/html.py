"""The frame and the style of the pages for people: no script, nothing fetched, readable on a phone."""

from collections.abc import Iterable
from html import escape

STYLE = """
:root { color-scheme: light; --back: #f4f5f7; --card: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d5d9de;
  --go: #0b63c5; --on-go: #fff; --good: #12692f; --good-back: #dff5e5; --bad: #a4161a; --bad-back: #fde8e8;
  --wait: #7a4d00; --wait-back: #fff1d1 }
@media (prefers-color-scheme: dark) { :root { color-scheme: dark; --back: #0f1318; --card: #1a2027; --ink: #e8ecf1;
  --soft: #a3adb8; --line: #323b45; --go: #7db7ff; --on-go: #08182b; --good: #7ee2a0; --good-back: #12351f;
  --bad: #ff9b9b; --bad-back: #431a1c; --wait: #f5c96b; --wait-back: #3b2d0c } }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere }
header { border-bottom: 1px solid var(--line); background: var(--card) }
header div, main { max-width: 62rem; margin: 0 auto; padding: .75rem 1rem }
header div, nav { display: flex; gap: .25rem .9rem; align-items: baseline; flex-wrap: wrap }
header strong { margin-right: auto; white-space: nowrap } header a { padding: .25rem 0 }
a { color: var(--go) } main.narrow { max-width: 30rem }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1.25rem 0 1rem } h2 { font-size: 1rem; margin: 0 0 .5rem }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.1rem 1.25rem;
  margin-bottom: 1rem }
.grid { display: flex; flex-wrap: wrap; gap: 1rem; margin-bottom: 1rem }
.grid section { flex: 1 1 17rem; margin: 0; display: flex; flex-direction: column } .grid form { margin-top: auto }
p { margin: 0 0 .75rem } .note { color: var(--soft); font-size: .9rem }
.big { font-size: 2.1rem; line-height: 1.2; font-weight: 650; font-variant-numeric: tabular-nums; margin: 0 0 .35rem }
.code { font: 600 1.9rem/1.2 ui-monospace, monospace; letter-spacing: .06em; text-align: center; padding: .8rem;
  border: 1px dashed var(--line); border-radius: 8px; margin: 0 0 1rem }
ul { padding-left: 1.2rem; margin: 0 0 1rem }
label { display: block; font-weight: 600; margin: 0 0 .25rem }
input[type=text], select { width: 100%; min-height: 2.75rem; font: inherit; color: inherit; background: var(--back);
  border: 1px solid var(--soft); border-radius: 8px; padding: .4rem .7rem; margin: 0 0 1rem }
.tick { display: flex; gap: .6rem; align-items: flex-start; border: 1px solid var(--line); border-radius: 8px;
  padding: .7rem .8rem; margin: 0 0 1rem } .tick small { display: block; font-weight: 400; color: var(--soft) }
.tick input { width: 1.25rem; height: 1.25rem; margin: .15rem 0 0; flex: none; accent-color: var(--go) }
button { min-height: 2.75rem; font: inherit; font-weight: 600; padding: .4rem 1.1rem; border-radius: 8px;
  border: 1px solid var(--soft); background: transparent; color: inherit; cursor: pointer }
button.go { background: var(--go); border-color: var(--go); color: var(--on-go) }
.row { display: flex; gap: .75rem; align-items: end } .row > * { flex: 1 } .row > button.side { flex: none }
.row input, .row select { margin: 0 }
.tag { display: inline-block; font-size: .85rem; font-weight: 600; padding: .1rem .6rem; border-radius: 1rem }
.good { color: var(--good); background: var(--good-back) } .bad { color: var(--bad); background: var(--bad-back) }
.wait { color: var(--wait); background: var(--wait-back) }
.word { border-radius: 8px; padding: .75rem 1rem; margin: 0 0 1rem }
.rows { overflow-x: auto } table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .5rem .9rem .5rem 0; border-top: 1px solid var(--line); vertical-align: top }
thead th { border: 0; color: var(--soft); font-size: .85rem; font-weight: 600 } .sum { text-align: right }
code { font: .88em ui-monospace, monospace }
:focus-visible { outline: 3px solid var(--go); outline-offset: 2px }
@media (max-width: 40rem) { thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px;
  overflow: hidden }
  tr { display: grid; grid-template-columns: auto 1fr; padding: .6rem 0; border-top: 1px solid var(--line) }
  tr:first-child { border: 0 } th, td { border: 0; padding: .1rem 0 } td:nth-child(even) { text-align: right }
  .sum { font-weight: 600 } td:last-child { grid-column: 1 / -1; text-align: left; color: var(--soft) } }
"""


def page(title: str, body: Iterable[str], *, narrow: bool = False) -> str:
    """A whole page. The body is HTML."""
    name = ' class="narrow"' if narrow else ""
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">',
            f"<title>{escape(title)} · Mock Nous Portal</title><style>{STYLE}</style></head><body>",
            '<header><div><strong>Mock Nous Portal</strong><nav><a href="/billing">Billing</a>',
            '<a href="/device">Device</a><a href="/docs">Contract</a></nav></div></header>',
            f"<main{name}><h1>{escape(title)}</h1>",
            *body,
            "</main></body></html>",
        ]
    )


def options(choices: Iterable[tuple[str, str]], selected: str) -> str:
    """The options of a select: each value with its label."""
    return "".join(
        f'<option value="{escape(value)}"{" selected" if value == selected else ""}>{escape(label)}</option>'
        for value, label in choices
    )
