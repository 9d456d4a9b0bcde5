// The editor of drafts: a remark's button shows its line in the text. Everything else is htmx, or a plain form.
(function () {
  "use strict";
  document.addEventListener("click", function (event) {
    var line = Number(event.target.getAttribute && event.target.getAttribute("data-line"));
    var text = document.getElementById("text");
    if (!line || !text) { return; }
    var lines = text.value.split("\n");
    var start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    text.focus();
    text.setSelectionRange(start, start + (lines[line - 1] || "").length);
    text.scrollTop = text.scrollHeight * Math.max(line - 5, 0) / lines.length;
  });
})();
