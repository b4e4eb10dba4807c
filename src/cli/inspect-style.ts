/** The inspector's looks: light or dark as the reader's system is, one column on a narrow screen. */
export const pageStyle = `
:root { color-scheme: light dark; --paper: #fbfaf7; --ink: #1d2327; --quiet: #6d7780; --line: #e2dfd6; --card: #fff;
  --work: #2f6fb3; --traffic: #c77d2a; --mark: #ffe9a8; --mark-edge: #d79b00; --used: #f3efe2; --good: #2e7d4f; --role: #7a5ea8; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181b; --ink: #e4e6e3; --quiet: #8d979e; --line: #2a3136; --card: #1b2125;
  --work: #6aa7e8; --traffic: #e0a35c; --mark: #4a3c10; --mark-edge: #e0b040; --used: #1f262a; --good: #6cc492; --role: #b39be0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header, main { max-width: 1500px; margin: 0 auto; padding: 0 28px; }
header { padding-top: 28px; }
h1 { margin: 0; font-size: 30px; letter-spacing: -0.02em; }
h2 { margin: 0 0 8px; font-size: 18px; display: inline-block; }
h3 { margin: 0; font-size: 12px; color: var(--quiet); text-transform: uppercase; letter-spacing: 0.06em; }
section { margin: 26px 0; }
code, pre { font: 12.5px/1.55 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.quiet { color: var(--quiet); font-size: 13px; }
.cards { display: flex; flex-wrap: wrap; gap: 12px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 18px; min-width: 130px; }
.card b { display: block; font-size: 21px; font-weight: 650; } .card span { color: var(--quiet); font-size: 13px; }
.pair { display: grid; grid-template-columns: minmax(300px, 5fr) 7fr; gap: 26px; }
.pair > div { min-width: 0; }
@media (max-width: 900px) { .pair { grid-template-columns: 1fr; } }
.kernels { list-style: none; margin: 0; padding: 0; max-height: 70vh; overflow: auto; }
.kernels button { width: 100%; text-align: left; background: var(--card); color: inherit; font: inherit; cursor: pointer;
  border: 1px solid var(--line); border-radius: 8px; padding: 8px 12px; margin-bottom: 6px; }
.kernels button:hover { border-color: var(--work); }
.kernels button.chosen { border-color: var(--work); box-shadow: inset 3px 0 0 var(--work); }
.kernels button.computes { box-shadow: inset 3px 0 0 var(--mark-edge); }
.name { font-weight: 600; margin-right: 8px; }
.bars { display: flex; align-items: center; height: 15px; } .bars em { font: 12px system-ui; color: var(--quiet); margin-left: 6px; white-space: nowrap; }
.bar { display: block; height: 7px; border-radius: 4px; background: var(--quiet); min-width: 2px; max-width: 75%; }
.bar.work, .key.work { background: var(--work); } .bar.traffic, .key.traffic { background: var(--traffic); }
.bar.predicted, .key.predicted { background: var(--role); } .bar.measured, .key.measured { background: var(--good); }
.bar.intermediate { background: var(--traffic); } .bar.input { background: var(--work); } .bar.output { background: var(--good); }
.bar.constant { background: var(--role); }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin: 0 3px 0 10px; }
.source { max-height: 70vh; overflow: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.source summary { position: sticky; top: 0; background: var(--card); padding: 6px 14px; border-bottom: 1px solid var(--line); font-weight: 600; cursor: pointer; }
.lines { margin: 0; padding: 6px 0 6px 52px; } .lines li::marker { color: var(--quiet); font-size: 11px; }
.lines li { padding-left: 8px; border-left: 3px solid transparent; } .lines code { white-space: pre; }
.lines .used { background: var(--used); cursor: pointer; } .lines .marked { background: var(--mark); border-left-color: var(--mark-edge); }
article.kernel { display: none; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 22px; }
article.kernel.chosen { display: block; }
dl { display: flex; flex-wrap: wrap; gap: 8px 28px; margin: 0 0 12px; } dt { color: var(--quiet); font-size: 13px; } dd { margin: 0; font-weight: 600; }
.nodes code { background: var(--used); border-radius: 5px; padding: 1px 6px; margin-right: 2px; }
.traffics { display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: 20px; } .traffics ul { margin: 4px 0 12px; padding-left: 18px; }
.code { overflow: auto; max-height: 75vh; background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; tab-size: 2; }
.comment { color: var(--quiet); font-style: italic; } .word { color: var(--role); font-weight: 600; } .type { color: var(--work); }
.attribute { color: var(--traffic); } .number { color: var(--good); }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; } th { text-align: left; color: var(--quiet); font-weight: 500; }
th, td { padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); vertical-align: middle; } .number { font-variant-numeric: tabular-nums; }
td.number, th.number { text-align: right; color: inherit; } td.wide { width: 40%; }
.role { font-size: 12px; border: 1px solid var(--line); border-radius: 20px; padding: 0 8px; color: var(--quiet); }
input[type=search] { font: inherit; padding: 4px 10px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: inherit; width: 260px; }
details > summary { cursor: pointer; }
`;
