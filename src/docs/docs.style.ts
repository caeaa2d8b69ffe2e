/** The style of the page; light and dark, and readable on a phone. */
export const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d0d7de, #30363d); --soft: light-dark(#f6f8fa, #161b22); --link: light-dark(#0550ae, #79c0ff); }
body { margin: 0 auto; max-width: 70rem; padding: 0 1rem 4rem; font: 16px/1.5 system-ui, sans-serif; color: light-dark(#1f2328, #e6edf3); background: light-dark(#fff, #0d1117); }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; list-style: none; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
details { margin: .5rem 0; border: 1px solid var(--line); border-radius: 6px; padding: 0 .75rem; overflow-x: auto; }
summary { margin: 0 -.75rem; padding: .5rem .75rem; cursor: pointer; background: var(--soft); }
summary b { display: inline-block; min-width: 4.5rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: .75rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-top: 1px solid var(--line); }
td p { margin: 0; }
code, pre { font: .875em/1.45 ui-monospace, monospace; }
pre { padding: .75rem; background: var(--soft); border-radius: 6px; overflow-x: auto; }
small, i { color: light-dark(#57606a, #9198a1); font-style: normal; font-size: .85em; }
`;
