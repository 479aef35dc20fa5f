/// What is around a page: its beginning with all looks, and its end with the script.
enum HTMLFrame {
  /// The lines before what is told. The page is not to load anything, whatever got into it.
  static func opening(title: StyledLine) -> [String] {
    [
      "<!DOCTYPE html>", "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\">",
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
      "<meta name=\"color-scheme\" content=\"light dark\">",
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '\(lookHash)'; "
        + "script-src '\(scriptHash)'\">",
      "<title>\(Markup.html(title))</title>", "<style>\(look)</style>", "</head>", "<body>",
    ]
  }

  /// The lines behind it.
  static func closing(withScript: Bool) -> [String] {
    (withScript ? ["<script>\(script)</script>"] : []) + ["</body>", "</html>"]
  }

  /// What filters the list; it is shown where the script runs.
  static let tools = """
    <p class="tools" hidden><input type="search" placeholder="address, port, rule, outcome" aria-label="filter">
    <label><input type="checkbox"> lost only</label> <span></span></p>
    """

  /// All looks.
  static let look = [
    "", sheet, SVGPicture.sheet, "@media screen and (prefers-color-scheme: dark) {", darkSheet,
    SVGPicture.darkSheet, "}", printSheet, "",
  ].joined(separator: "\n")

  private static let sheet = """
    :root { color-scheme: light dark }
    * { box-sizing: border-box }
    body { font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; color: #24292f; background: #fff;
      margin: 0 auto; max-width: 1120px; padding: 28px 24px 60px }
    h1, h3, p, dd, code, summary { overflow-wrap: anywhere } td:nth-child(n+3) { overflow-wrap: break-word } .word { display: inline-block; max-width: 100%; overflow-wrap: anywhere }
    code { font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre-wrap }
    h1 { font-size: 22px; line-height: 1.3; margin: 2px 0 4px; font-weight: 600; text-wrap: balance }
    h2 { font-size: 18px; margin: 40px 0 8px } h3 { font-size: 14px; margin: 22px 0 6px }
    .brand, .asker, .faint, .count, .number { color: #5d6773 } .brand { margin: 0; font-size: 13px } .asker { margin: 0 0 8px }
    .strong { font-weight: 600 } a { color: #0a58ca }
    .bad { color: #c4001d } .good { color: #0b6b35 } .caution { color: #845700 }
    .facts { display: flex; flex-wrap: wrap; gap: 10px 32px; margin: 18px 0 26px; padding: 14px 0; border: solid #d0d7de; border-width: 1px 0 }
    .facts dt { font-size: 12px; color: #5d6773 } .facts dd { margin: 0 } .facts .wide { flex: 1 1 100% }
    .finding { display: grid; grid-template-columns: 5.5em 1fr; gap: 4px 12px; margin: 14px 0; padding: 12px 16px;
      border-left: 4px solid #8c959f; background: #f4f6f8; border-radius: 0 8px 8px 0 }
    .finding.error { border-color: #c4001d } .finding.warning { border-color: #b97a00 }
    .finding dt { font-weight: 600; grid-column: 1 } .finding dd { margin: 0; grid-column: 2; min-width: 0 }
    .paste { display: flex; gap: 10px; align-items: flex-start } .paste code { flex: 0 1 auto; min-width: 0 }
    button, input[type=search] { font: 13px system-ui, sans-serif; color: inherit; background: #fff; border: 1px solid #b6bec7; border-radius: 6px; padding: 2px 9px }
    [hidden] { display: none !important } label { white-space: nowrap } button { cursor: pointer; flex: none } input[type=search] { padding: 6px 10px; width: min(24em, 100%) }
    .sides { display: grid; grid-template-columns: minmax(0, 430px) minmax(0, 1fr); gap: 10px 36px; align-items: start; margin-top: 18px }
    .sides > .steps:first-child { grid-column: 1 / -1 } .steps h3:first-child { margin-top: 4px }
    svg.pic { width: 100%; height: auto; display: block }
    table { border-collapse: collapse; width: 100%; font-size: 13px } td, th { text-align: left; vertical-align: top; padding: 3px 12px 3px 0 }
    th { font-weight: 400; color: #5d6773; font-size: 12px } td { font-variant-numeric: tabular-nums }
    .timeline td:first-child, .timeline th:first-child { text-align: right; color: #5d6773; white-space: nowrap }
    .timeline { table-layout: fixed } .timeline th:nth-child(2) { width: 10.5em } .timeline th:nth-child(3) { width: 32% }
    .timeline th:first-child { width: 6.5em } .clock th:first-child { width: 10.5em } .iso th:first-child { width: 21.5em }
    .timeline td:nth-child(2) { font-weight: 600; white-space: nowrap }
    .timeline .bad td + td { color: #c4001d; font-weight: 600 } .timeline .change td:nth-child(n+3) { color: #0a58ca }
    details.path { border-top: 1px solid #d0d7de; padding: 10px 0 } details.path[open] { padding-bottom: 30px }
    summary { cursor: pointer; font-weight: 600 } .number, .count { font-weight: 400; margin-right: 6px }
    .list td { border-top: 1px solid #e3e7eb } .list td:nth-child(2) { white-space: nowrap } .list td:last-child { padding-right: 0 }
    .list th[aria-sort] { font-weight: 600; color: inherit } .list th button { border: 0; padding: 0; background: none; color: inherit }
    .list .lost td:first-child { box-shadow: inset 3px 0 #c4001d; padding-left: 9px }
    :target > td, h3:target { background: #fff2bf } .tools span { color: #5d6773; margin-left: 10px }
    footer { margin-top: 34px; padding-top: 12px; border-top: 1px solid #d0d7de; color: #5d6773; font-size: 13px } footer p { margin: 2px 0 }
    @media (max-width: 1040px) { .sides { grid-template-columns: minmax(0, 1fr) } svg.pic { max-width: 460px } .steps { overflow-x: auto } }
    @media (max-width: 560px) {
      body { padding: 16px 12px 40px } h1 { font-size: 19px } .facts { gap: 8px 24px }
      .finding { grid-template-columns: 1fr; padding: 10px 12px } .finding dt, .finding dd { grid-column: 1 } .paste { flex-wrap: wrap }
      .timeline thead, .list thead { display: none } .timeline tr, .list tr { display: grid; grid-template-columns: 5.2em 1fr; padding: 3px 0 }
      .timeline tbody td:nth-child(n), .list tbody td:nth-child(n) { padding: 0 8px 0 0; border: 0; width: auto } .timeline td:nth-child(n+3) { grid-column: 2 } .timeline td:empty { display: none }
      .list tr { border-top: 1px solid #e3e7eb } .list td:nth-child(n+3) { grid-column: 1 / -1 } .list td:last-child:not(:empty)::before { content: "path " }
      .timeline td:first-child:empty { display: block }
    }
    """

  private static let darkSheet = """
    body { color: #e6e9ec; background: #14171b } .brand, .asker, .faint, .count, .number, th, .facts dt, footer, .tools span { color: #99a3ae }
    a { color: #7db0ff } .bad, .timeline .bad td + td { color: #ff7a70 } .good { color: #5fd08e } .caution { color: #e5b64f }
    .facts, details.path, footer, .list td, .list tr { border-color: #363d45 } .finding { background: #1c2127 }
    .finding.error { border-color: #f0453a } .timeline td:first-child { color: #99a3ae } .timeline .change td:nth-child(n+3) { color: #7db0ff }
    button, input[type=search] { background: #1c2127; border-color: #49525c } .list .lost td:first-child { box-shadow: inset 3px 0 #f0453a }
    :target > td, h3:target { background: #4a3d0c }
    """

  private static let printSheet = """
    @media print {
      body { max-width: none; padding: 0; font-size: 11px } button, .tools { display: none } details::details-content { content-visibility: visible; display: block; height: auto }
      .sides { grid-template-columns: 330px 1fr; gap: 16px } svg.pic, .finding, tr { break-inside: avoid } summary { break-after: avoid } h1 { font-size: 17px } h3 { break-after: avoid }
      table, code { font-size: 10px } * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
    }
    """

  /// What a browser is told that looks and script are: others do not count. The tests say what they have to be.
  static let lookHash = "sha256-CQ+5Mx743q/4/RMLULIjgH7HdM5igjdZyGOYlLEE5hY="

  /// The script's.
  static let scriptHash = "sha256-TKNAzidm45GsQ9SutUXaZzBAIAWZ3PQFqgcdiM0ZCoI="

  /// Copies remedies, filters and sorts the list, and opens what a link leads to. It makes no markup out of text.
  static let script = """

    (() => {
    for (const box of document.querySelectorAll('.paste')) {
      const code = box.firstElementChild, button = document.createElement('button');
      button.textContent = 'copy';
      button.onclick = () => {
        const said = () => { button.textContent = 'copied'; setTimeout(() => button.textContent = 'copy', 1500) };
        const other = () => {
          getSelection().selectAllChildren(code);
          if (document.execCommand('copy')) said();
        };
        navigator.clipboard ? navigator.clipboard.writeText(code.textContent).then(said, other) : other();
      };
      box.append(button);
    }
    const body = document.querySelector('.list tbody'), tools = document.querySelector('.tools');
    let filter = () => {};
    if (body) {
      const [words, lost] = tools.querySelectorAll('input'), sum = tools.querySelector('span');
      let rows = [...body.rows], timer;
      const ways = new Map([...document.querySelectorAll('details.path')].map(way => [way.id, way]));
      const way = row => ways.get('path-' + row.cells[3].textContent.trim());
      const texts = new Map(rows.map(row =>
        [row, (row.cells[2].textContent + ' ' + (way(row)?.dataset.rules ?? '')).toLowerCase()]));
      tools.hidden = false;
      filter = () => {
        const wanted = words.value.toLowerCase().split(/\\s+/).filter(Boolean), left = new Map();
        let count = 0;
        for (const row of rows) {
          const text = texts.get(row);
          row.hidden = lost.checked && row.className != 'lost' || !wanted.every(word => text.includes(word));
          if (row.hidden) continue;
          count++;
          left.set(way(row), (left.get(way(row)) ?? 0) + 1);
        }
        const all = count == rows.length;
        sum.textContent = count + ' of ' + rows.length + ' rows';
        for (const way of ways.values()) {
          way.hidden = !all && !left.has(way);
          const told = way.querySelector('.count');
          if (told) told.textContent = all ? told.dataset.all : (left.get(way) ?? 0) + ' of ' + told.dataset.rows + ' rows';
        }
      };
      words.oninput = () => { clearTimeout(timer); timer = setTimeout(filter, 80) };
      lost.onchange = filter;
      filter();
      const heads = [...document.querySelectorAll('.list th')];
      heads.forEach((head, column) => {
        const button = document.createElement('button');
        button.textContent = head.textContent;
        head.replaceChildren(button);
        button.onclick = () => {
          const down = head.ariaSort == 'ascending';
          for (const other of heads) other.ariaSort = null;
          head.ariaSort = down ? 'descending' : 'ascending';
          const key = new Map(rows.map(row => [row, row.cells[column].textContent]));
          const isNumber = column == 0 || column == 3;
          rows.sort((a, b) => (down ? -1 : 1) * (isNumber ? key.get(a) - key.get(b)
            : key.get(a) < key.get(b) ? -1 : key.get(a) > key.get(b) ? 1 : 0));
          body.append(...rows);
        };
      });
    }
    const go = () => {
      const place = document.getElementById(location.hash.slice(1));
      if (!place) return;
      const row = place.closest('tr'), path = place.closest('details');
      if (row && row.hidden || path && path.hidden) { for (const input of tools.querySelectorAll('input')) { input.value = ''; input.checked = false } filter() }
      if (path) path.open = true;
      place.scrollIntoView({ block: row ? 'center' : 'start' });
    };
    addEventListener('hashchange', go);
    go();
    addEventListener('beforeprint', () => { for (const path of document.querySelectorAll('details')) path.open = true });
    })();

    """
}
