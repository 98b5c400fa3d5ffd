/// How plots look: one sheet for a picture or for a page of them, light or dark as the reader's system
/// asks, no scripts.
public enum PlotStyle {
  /// Series are told apart by this many colours; each has a marker of its own, in four fillings.
  static let colors = 8

  /// The CSS of the class `blockscale-plot`. A page with many plots holds it once.
  public static var css: String {
    """
    .blockscale-plot{--paper:#fff;--ink:#1b1f24;--soft:#57606a;--grid:#e3e6ea;--minor:#f2f4f6;\
    \(variables(light));font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",\
    "DejaVu Sans",sans-serif}
    @media screen and (prefers-color-scheme:dark){.blockscale-plot{--paper:#14171b;--ink:#e8eaed;\
    --soft:#a6adb6;--grid:#30353c;--minor:#22262b;\(variables(dark))}}
    .blockscale-plot .paper{fill:var(--paper)}
    .blockscale-plot text{fill:var(--ink);font-size:12px}
    .blockscale-plot .title{font-size:15px;font-weight:600}
    .blockscale-plot .label{fill:var(--soft)}
    .blockscale-plot .note{fill:var(--soft);font-size:11px}
    .blockscale-plot .middle{text-anchor:middle}
    .blockscale-plot .end{text-anchor:end}
    .blockscale-plot .grid{stroke:var(--grid);stroke-width:1}
    .blockscale-plot .minor{stroke:var(--minor);stroke-width:1}
    .blockscale-plot .axis{stroke:var(--soft);stroke-width:1}
    .blockscale-plot .rule{stroke:var(--ink);stroke-width:1;stroke-dasharray:2 3}
    .blockscale-plot .frame{fill:none;stroke:var(--soft);stroke-width:1}
    .blockscale-plot .line{fill:none;stroke-width:2;stroke-linejoin:round}
    .blockscale-plot .halo{stroke:var(--paper);stroke-width:5}
    .blockscale-plot .dashed{stroke-dasharray:6 4}
    .blockscale-plot .front{fill:none;stroke:var(--ink);stroke-width:1.5;stroke-dasharray:2 3}
    .blockscale-plot .band{stroke:none;fill-opacity:.16}
    .blockscale-plot .mark{stroke:var(--paper);stroke-width:1}
    .blockscale-plot .eye{stroke:none;pointer-events:none}
    .blockscale-plot .ring{fill:none;stroke:#fff;stroke-width:2;pointer-events:none}
    .blockscale-plot .outer{stroke:#000}
    .blockscale-plot .mark:hover{stroke:var(--ink);stroke-width:2}
    .blockscale-plot .cell:hover{stroke:var(--ink);stroke-width:2}

    """
      + (0..<colors).map {
        ".blockscale-plot .s\($0){stroke:var(--c\($0))}"
          + ".blockscale-plot .f\($0){fill:var(--c\($0))}\n"
      }.joined() + """
        .blockscale-plot .hollow{fill:var(--paper);stroke-width:2}
        .blockscale-plot .mark:focus{stroke:var(--ink);stroke-width:3;outline:none}
        .blockscale-plot .cell:focus{outline:none}

        """
  }

  private static func variables(_ values: [String]) -> String {
    values.enumerated().map { "--c\($0):\($1)" }.joined(separator: ";")
  }

  // Each has a contrast of at least 3 to its paper, and neighbours differ in lightness too.
  private static let light = [
    "#0067a5", "#d1500a", "#00785a", "#a3388c", "#7d6608", "#4b46c8", "#b0173a", "#3f4a56",
  ]
  private static let dark = [
    "#5db5f0", "#ff9a57", "#35cfa3", "#f08fd0", "#e3c94f", "#aaa5ff", "#ff8296", "#c3ccd6",
  ]
}
