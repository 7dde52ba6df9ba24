"use strict";
(() => {
  const specifications = JSON.parse(document.getElementById("specifications").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const sides = 72; // of a stacked figure: labels of its axis and padding, in pixels

  const theme = () => {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    return {
      background: null,
      font: style.getPropertyValue("font-family"),
      view: { stroke: null },
      axis: {
        labelColor: color("--quiet"),
        titleColor: color("--quiet"),
        gridColor: color("--line"),
        domainColor: color("--line"),
        tickColor: color("--line"),
        labelFontSize: 11,
        titleFontSize: 11,
        titleFontWeight: "normal",
      },
      legend: { labelColor: color("--text"), labelFontSize: 11, symbolType: "circle" },
    };
  };

  const draw = async () => {
    const config = theme();
    for (const [name, specification] of Object.entries(specifications)) {
      const place = document.getElementById(`figure-${name}`);
      const spec = structuredClone(specification);
      spec.config = config;
      for (const part of spec.vconcat ?? []) part.width = Math.max(120, place.clientWidth - sides);
      // a figure in which nothing is drawn yet is no reason to warn of axes without extent
      const logLevel = Object.values(spec.datasets ?? {}).some((rows) => rows.length === 0) ? 1 : 2;
      await vegaEmbed(place, spec, { ast: true, renderer: "svg", actions: false, logLevel });
    }
    document.documentElement.dataset.drawn = window.innerWidth;
  };

  let waiting;
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(draw, 150);
  };
  dark.addEventListener("change", later);
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth !== width) later();
    width = window.innerWidth;
  });
  draw();
})();
