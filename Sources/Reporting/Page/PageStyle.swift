/// The style sheet of a page.
enum PageStyle {
  static let css = """
    :root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d3d8de;\
    --wash:#f4f6f8;--link:#0a58a8;--good:#0b6b3a;--bad:#a3202f;--mark:#fff3c4}
    @media screen and (prefers-color-scheme:dark){:root{--paper:#14171b;--ink:#e8eaed;\
    --soft:#a6adb6;--line:#3a4048;--wash:#1e2227;--link:#7ab8ff;--good:#5fd695;--bad:#ff8f98;\
    --mark:#4a4220}}
    *{box-sizing:border-box}
    html{background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",\
    Roboto,"Noto Sans","DejaVu Sans",sans-serif}
    body{margin:0 auto;max-width:72rem;padding:1rem 1.25rem 4rem}
    h1{font-size:1.7rem;line-height:1.2;margin:.6rem 0}
    h2{font-size:1.3rem;margin:2.4rem 0 .6rem;border-top:1px solid var(--line);padding-top:1rem}
    h3{font-size:1.05rem;margin:1.6rem 0 .4rem}
    p{max-width:48rem}
    li{max-width:48rem;margin:.25rem 0}
    p,li,h1,figcaption{overflow-wrap:anywhere}
    a{color:var(--link)}
    nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;padding:0;list-style:none}
    .soft{color:var(--soft)}
    .lead{font-size:1.2rem;font-weight:600;background:var(--wash);border-left:.3rem solid var(--link);\
    padding:.8rem 1rem}
    .good{color:var(--good)}
    .bad{color:var(--bad)}
    figure{margin:1.2rem 0;break-inside:avoid}
    figcaption{color:var(--soft);max-width:48rem}
    .scroll{overflow-x:auto}
    .scroll svg{display:block;min-width:620px;max-width:100%;height:auto}
    .readout{color:var(--soft);min-height:1.5em;margin:.1rem 0;font-size:.9rem;max-width:none}
    table{border-collapse:collapse;font-size:.88rem;margin:.4rem 0}
    caption{text-align:left;color:var(--soft);padding:.2rem 0}
    caption span{display:block;position:sticky;left:0;max-width:min(48rem,calc(100vw - 2.5rem))}
    th,td{text-align:left;padding:.22rem .55rem;border-bottom:1px solid var(--line);vertical-align:top}
    td,tbody th{font-variant-numeric:tabular-nums}
    tbody th{font-weight:400;white-space:nowrap}
    .answers td{min-width:9rem}
    thead th{background:var(--wash);vertical-align:bottom}
    .number{text-align:right}
    tbody td.number,tbody td.good,tbody td.bad{white-space:nowrap}
    th button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;\
    text-align:inherit}
    th[aria-sort=ascending] button::after{content:" ▲"}
    th[aria-sort=descending] button::after{content:" ▼"}
    .filters{display:none;flex-wrap:wrap;gap:.5rem 1rem;align-items:end;margin:.6rem 0}
    .js .filters{display:flex}
    .filters label{display:flex;flex-direction:column;font-size:.85rem;color:var(--soft)}
    .filters input,.filters select{font:inherit;padding:.25rem .4rem;color:var(--ink);\
    background:var(--paper);border:1px solid var(--soft);border-radius:.25rem;max-width:20rem}
    tr[hidden]{display:none}
    pre{background:var(--wash);padding:.7rem;overflow-x:auto;font-size:.85rem}
    summary{cursor:pointer;color:var(--link)}
    :focus-visible{outline:2px solid var(--link);outline-offset:2px}
    @media (max-width:40rem){body{padding:.5rem .8rem 3rem}h1{font-size:1.35rem}.lead{font-size:1.05rem}}
    @page{margin:12mm}
    @page wide{size:landscape}
    @media print{:root{color-scheme:light}html{font-size:11px}nav,.filters,.js .filters,.readout{display:none}\
    body{max-width:none;padding:0}.scroll{overflow:visible}\
    .scroll svg{min-width:0;width:100%;max-height:215mm}\
    tr{break-inside:avoid}h2,h3{break-after:avoid}a{color:inherit;text-decoration:none}\
    caption span{position:static;max-width:none}pre{white-space:pre-wrap;overflow-wrap:anywhere}\
    table{font-size:.82rem}th,td{padding:.15rem .3rem}\
    tbody td.number,tbody td.good,tbody td.bad,tbody th{white-space:normal}\
    tbody th{overflow-wrap:anywhere}th button{display:contents}caption{break-after:avoid}\
    table:not(.answers,:has(tbody tr:nth-child(25))){break-inside:avoid}tbody tr:first-child{break-before:avoid}\
    #table{page:wide}#results{font-size:.78rem;width:100%}}

    """
}
