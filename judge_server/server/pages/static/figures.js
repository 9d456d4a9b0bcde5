// Draws the table of runs with uPlot: pointing at a run shows its numbers below. Without script the table stands alone.
(function () {
  "use strict";
  var table = document.getElementById("history");
  var place = document.getElementById("history-drawn");
  if (!table || !place || !window.uPlot) { return; }
  var rows = Array.prototype.slice.call(table.tBodies[0].rows);

  function column(name) {
    return rows.map(function (row) {
      var value = row.getAttribute("data-" + name);
      return value ? Number(value) : null;
    });
  }

  function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

  function said(plot, value) { return value === null || value === undefined ? "–" : value.toFixed(2); }

  function line(label, name, more) {
    return Object.assign({ label: label, value: said, stroke: colour(name), width: 2, points: { show: true, size: 8 } }, more);
  }

  function axis(more) {
    return Object.assign({ stroke: colour("--text"), grid: { stroke: colour("--line") }, ticks: { stroke: colour("--line") } }, more);
  }

  function drawn() {
    var bound = { width: 1, dash: [4, 4], points: { show: false } };
    return new window.uPlot({
      width: Math.min(place.clientWidth, 860),
      height: 260,
      scales: { x: { time: false, range: [0.5, rows.length + 0.5] }, y: { range: [Math.min(0, low), 1] } },
      axes: [axis({ incrs: [1, 2, 5, 10, 20, 50], label: "run", labelSize: 20 }), axis()],
      series: [
        { label: "run", value: function (plot, value) { return value === null ? "–" : String(value); } },
        line("judge", "--accent"), line("from", "--accent", bound), line("to", "--accent", bound), line("people", "--people")
      ]
    }, [rows.map(function (row, number) { return number + 1; }), column("value"), column("low"), column("high"), column("people")], place);
  }

  var low = Math.min.apply(null, column("low").concat(column("value")).filter(function (one) { return one !== null; }));
  var plot = drawn();
  function again() {
    plot.destroy();
    plot = drawn();
  }
  window.addEventListener("resize", again);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
})();
