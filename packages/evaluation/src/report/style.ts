/** The style of the page. */
export const style = `
:root { color-scheme: light; --ink: #1f2733; --faint: #5b6675; --line: #e3e7ec; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; background: #f5f6f8; color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 18px; margin: 0 0 14px; }
.lead { color: var(--faint); margin: 0 0 24px; }
.note { color: var(--faint); margin: 0 0 14px; max-width: 80ch; }
section { background: #fff; border: 1px solid var(--line); border-radius: 10px; padding: 22px 26px 24px; margin: 0 0 18px; }
figure { margin: 0 0 14px; overflow-x: auto; }
svg { max-width: 100%; height: auto; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 14px 16px; margin-bottom: 8px; }
.plots figure { margin: 0; min-width: 0; }
.warning { background: #fff4e0; border: 1px solid #f0cf94; border-radius: 8px; padding: 10px 16px; margin: 0 0 14px; }
.warning b { display: block; }
.warning ul { margin: 2px 0 0; padding-left: 20px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 10px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); font-weight: 400; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { color: var(--faint); font-size: 12.5px; border-bottom-color: #c9d0d8; }
td, th.number { text-align: right; white-space: nowrap; }
small { display: block; color: var(--faint); font-size: 11.5px; font-weight: 400; line-height: 1.3; }
.key { color: var(--faint); font-size: 12.5px; margin: -4px 0 14px; }
.key b { font-weight: 600; color: #0072b2; } .key i { font-style: normal; font-weight: 600; color: #7d8896; } .key u { text-decoration: none; font-weight: 600; color: #b4550a; }
td.best { font-weight: 700; color: var(--accent); }
tr.published th, tr.published td { color: #8a4a12; background: #fdf9f4; }
details { margin-top: 14px; }
summary { cursor: pointer; color: var(--faint); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 22px; margin: 0; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 720px) { dl { grid-template-columns: 1fr; } table { display: block; overflow-x: auto; } }
@media print { body { background: #fff; } section { break-inside: avoid; border: 0; padding: 0; } }
`;
