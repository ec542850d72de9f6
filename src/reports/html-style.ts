/** How the HTML page looks: on a screen, a phone, in the dark and on paper. System fonts, one accent; severity is told in words as well. */

/** No line may begin with two colons: build servers would take it for a command (build-commands.ts), and the page's own policy would refuse the style. */
export const style = `
:root{color-scheme:light dark;--page:#fff;--card:#f7f8fa;--line:#d5dae1;--text:#1b2027;--soft:#545d69;--accent:#0b5a87;--grave:#a3211a;--mid:#7a4a00;--good:#1c6b3a}
@media (prefers-color-scheme:dark){:root{--page:#14181d;--card:#1c2229;--line:#38414c;--text:#e4e8ed;--soft:#a5afbb;--accent:#82c4ee;--grave:#ffa199;--mid:#f0c274;--good:#86d6a0}}
*{box-sizing:border-box}
html{font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;-webkit-text-size-adjust:100%;scroll-padding-top:1rem}
body{margin:0 auto;max-width:66rem;padding:1.25rem clamp(1rem,4vw,2.5rem) 3rem;background:var(--page);color:var(--text);overflow-wrap:anywhere}
h1,h2,h3{line-height:1.2;font-weight:650;letter-spacing:-.01em;text-wrap:balance}
h1{font-size:clamp(1.6rem,5vw,2.4rem);margin:.15rem 0 .4rem}
h2{font-size:1.35rem;margin:3rem 0 .75rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.75rem 0 .5rem}
p{margin:.4rem 0}
a{color:var(--accent);text-underline-offset:.15em}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:3px}
code,pre,.path{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
pre{margin:.4rem 0;padding:.7rem .85rem;background:var(--page);border:1px solid var(--line);border-radius:6px;white-space:pre-wrap}
.skip{position:absolute;left:-999rem}
.skip:focus{left:1rem;top:.5rem;padding:.4rem .7rem;background:var(--page);z-index:1}
.eyebrow,.soft{color:var(--soft)}
.eyebrow{font-size:.85rem;letter-spacing:.02em}
.lead{font-size:1.15rem;max-width:46rem;margin:.75rem 0}
nav ul,.tiles,.plain{list-style:none;margin:0;padding:0}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.25rem;margin:1rem 0 0}
nav a{display:inline-block;padding:.2rem 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(6.2rem,1fr));gap:1px;margin:1.5rem 0;border:1px solid var(--line);border-radius:8px;overflow:hidden}
.tiles li{padding:.7rem .9rem;box-shadow:0 0 0 1px var(--line)}
.tiles strong{display:block;font-size:1.7rem;line-height:1.15;font-weight:600;font-variant-numeric:tabular-nums}
.tiles .none{color:var(--soft)}
.counts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:0 2.5rem;align-items:start}
table{width:100%;border-collapse:collapse;font-size:.925rem}
caption{text-align:left;font-weight:650;padding:.4rem 0}
th,td{text-align:left;vertical-align:top;padding:.4rem .75rem .4rem 0;border-top:1px solid var(--line);font-weight:400}
thead th{color:var(--soft);font-size:.85rem}
td.number,th.number{text-align:right;padding-right:0;font-variant-numeric:tabular-nums;white-space:nowrap;overflow-wrap:normal}
td.state{white-space:nowrap;overflow-wrap:normal}
.severity{font-weight:650;white-space:nowrap}
.critical,.high,.broken-word{color:var(--grave)}
.medium{color:var(--mid)}
.good{color:var(--good)}
form{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,10.5rem),1fr));gap:.75rem;align-items:end;margin:1rem 0}
form .wide{grid-column:1/-1}
label{display:block;font-size:.85rem;color:var(--soft)}
input,select,button{font:inherit;color:inherit;background:var(--page);border:1px solid var(--soft);border-radius:6px;padding:.45rem .6rem;min-height:2.6rem}
input,select{width:100%}
button{cursor:pointer}
.copy{float:right;min-height:0;padding:.15rem .6rem;font-size:.8rem;margin:0 0 .3rem .6rem}
.bar{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;justify-content:space-between;margin:.5rem 0}
.finding{border:1px solid var(--line);border-radius:8px;margin:.5rem 0;background:var(--card)}
.finding summary,.more>summary{cursor:pointer;padding:.65rem .9rem;list-style-position:inside}
.finding summary{display:block}
.finding summary::-webkit-details-marker{display:none}
.finding .head{display:flex;flex-wrap:wrap;gap:0 .75rem;align-items:baseline}
.finding .head strong{font-weight:650}
.finding .head .soft{margin-left:auto;font-size:.85rem}
.finding .what{display:block}
.body{padding:.1rem .9rem .8rem;border-top:1px solid var(--line)}
dl{display:grid;grid-template-columns:5.5rem minmax(0,1fr);gap:.35rem .9rem;margin:.7rem 0}
dt{color:var(--soft)}
dd{margin:0}
.more{margin:.5rem 0}
.more>summary{padding:.4rem 0;color:var(--accent)}
.picture{overflow:auto;max-height:85vh;border:1px solid var(--line);border-radius:8px;padding:.5rem;background:var(--page)}
.picture svg{display:block}
@media (min-width:60rem){.picture{margin-inline:calc((100% - min(94vw,100rem))/2)}.picture .fits{max-width:100%;height:auto}}
.picture text{fill:var(--text);font-family:Helvetica,Arial,"Liberation Sans",sans-serif}
.picture .node text,.picture .cluster>text{font-size:12px}
.picture .edge text{font-size:10px}
.picture .cluster>path,.picture .cluster>polygon{fill:var(--card);stroke:var(--line)}
.picture .cluster>text{fill:var(--soft);font-weight:bold}
.picture .node path,.picture .node polygon,.picture .node ellipse{stroke:var(--soft);fill:var(--page)}
.picture .edge path{stroke:var(--soft)}
.picture .edge polygon{stroke:var(--soft);fill:var(--soft)}
.picture .edge text{fill:var(--soft)}
.picture .policy path{stroke:var(--accent)}
.picture .policy polygon{stroke:var(--accent);fill:var(--accent)}
.picture .missing path,.picture .missing polygon,.picture .broken path,.picture .blocked path{stroke:var(--grave)}
.picture .broken polygon,.picture .blocked polygon{stroke:var(--grave);fill:var(--grave)}
.picture .broken text,.picture .missing text{fill:var(--grave)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.5rem;font-size:.9rem;margin:.75rem 0}
.legend svg{vertical-align:middle;margin-right:.4rem}
.legend line{stroke:currentColor;stroke-width:2}
.legend .policy{color:var(--accent)}
footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--line);font-size:.9rem}
[hidden]{display:none!important}
@media (max-width:30rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}.finding .head .soft{margin-left:0;width:100%}}
@media print{
@page{margin:14mm}
:root{color-scheme:light;--page:#fff;--card:#fff;--line:#bbb;--text:#000;--soft:#444;--accent:#0b5a87;--grave:#a3211a;--mid:#7a4a00;--good:#1c6b3a}
html{font-size:10.5pt}
body{max-width:none;padding:0}
form,nav,.bar,.copy,.skip{display:none!important}
details::details-content{content-visibility:visible!important;block-size:auto!important;display:block!important}
.finding,tr{break-inside:avoid}
h2,h3,summary{break-after:avoid}
.picture{max-height:none;overflow:visible;border:0;padding:0}
.picture svg{max-width:100%;max-height:95vh;height:auto}
}
`;
