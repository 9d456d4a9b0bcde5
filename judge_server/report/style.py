"""How the page looks: one style sheet for light and dark, screen and paper."""

STYLE = """
:root { color-scheme: light dark; --page: #fbfaf8; --card: #ffffff; --ink: #1d2228; --soft: #5d6672; --line: #dfe2e6;
  --grid: #e9ebee; --judge: #2456a6; --people: #c2701c; --good: #1d7a46; --bad: #b3372c; --fair: #8a6410;
  --cell: 36, 86, 166; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --card: #1c2026; --ink: #e6e8eb; --soft: #a0a8b3;
  --line: #333a43;
  --grid: #2a3038; --judge: #7fb0ff; --people: #f0a65a; --good: #5cc98a; --bad: #f08a80; --fair: #e0bb62;
  --cell: 110, 160, 250; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui,
  -apple-system, "Segoe UI", sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .25rem; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; margin: 3rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.02rem; margin: 1.6rem 0 .4rem; }
p { max-width: 46rem; margin: .4rem 0 .8rem; }
.soft, caption, figcaption, .note { color: var(--soft); font-size: .88rem; }
.facts { color: var(--soft); margin: 0 0 1.6rem; }
.verdict { background: var(--card); border: 1px solid var(--line); border-left: .35rem solid var(--tone);
  border-radius: .5rem;
  padding: .9rem 1.2rem; margin: .8rem 0; }
.verdict p { max-width: none; font-size: 1.08rem; margin: .2rem 0; }
.badge { color: var(--tone); font-weight: 650; font-size: .85rem; letter-spacing: .02em; }
.good { --tone: var(--good); } .bad { --tone: var(--bad); } .fair { --tone: var(--fair); }
.warning { border-left: .35rem solid var(--fair); background: var(--card); padding: .5rem 1rem; margin: .5rem 0;
  border-radius: .3rem; }
.scroll { overflow-x: auto; margin: .6rem 0 1.2rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { padding: .32rem .8rem .32rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
td + td, th + td, th + th { padding-left: .8rem; } table small { color: var(--soft); }
th { font-weight: 600; } thead th { color: var(--soft); border-bottom: 2px solid var(--line); vertical-align: bottom; }
td.number, th.number { text-align: right; white-space: nowrap; padding-left: .8rem; padding-right: .4rem; }
table.wide { font-size: .82rem; } table.wide td.number { padding-right: .2rem; }
table.wide th:first-child { min-width: 10rem; }
.matrices { display: flex; flex-wrap: wrap; gap: 1rem 3rem; align-items: flex-start; }
.matrix td, .matrix th { padding: .45rem .7rem; border: 0; text-align: right; }
.matrix tbody th { color: var(--soft); font-weight: 500; } .matrix thead th { border: 0; font-weight: 500; }
.matrix td { border: 2px solid var(--card); border-radius: .3rem; min-width: 3.6rem;
  background: rgba(var(--cell), var(--heat)); }
.matrix td.right { outline: 1.5px solid var(--judge); outline-offset: -3px; }
figure { margin: 1rem 0 1.6rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: 1rem 1.2rem; }
figure svg { display: block; width: 100%; height: auto; } figcaption { margin-top: .6rem; max-width: 48rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1rem; }
  .plots figure { margin: .4rem 0; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; } svg .soft { fill: var(--soft); font-size: 12px; }
svg .grid { stroke: var(--grid); } svg .axis { stroke: var(--soft); } svg .zero { stroke: var(--soft);
  stroke-dasharray: 3 3; }
svg .judge { stroke: var(--judge); fill: var(--judge); } svg .people { stroke: var(--people); fill: var(--people); }
svg .band { fill: var(--people); opacity: .14; stroke: none; } svg .bar { fill: var(--judge); opacity: .22;
  stroke: none; }
svg .thin { stroke-width: 2; fill: none; } svg .hollow { fill: var(--card); stroke-width: 2; }
svg .line { fill: none; stroke-width: 2; } svg .faint { opacity: .45; }
details { border: 1px solid var(--line); border-radius: .5rem; background: var(--card); margin: .5rem 0; }
summary { cursor: pointer; padding: .6rem 1rem; overflow-wrap: anywhere; } details > div { padding: 0 1rem .8rem; }
summary .soft { margin-left: .4rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: .86rem/1.5 ui-monospace, Menlo, Consolas, monospace;
  margin: .2rem 0 .8rem;
  padding: .7rem .9rem; background: var(--page); border-radius: .4rem; max-height: 22rem; overflow-y: auto;
  unicode-bidi: plaintext; }
.opinions td:first-child { white-space: nowrap; } .opinions td { overflow-wrap: anywhere; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; overflow-wrap: anywhere; }
@media print { body { background: #fff; } figure, .verdict, details { break-inside: avoid; } }
"""
