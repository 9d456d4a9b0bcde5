// The editor of drafts: a remark's button shows its line in the text, a change that was not kept is said so and sent
// again, and what was typed before the page was ready is sent. Everything else is htmx, or a plain form.
(function () {
  "use strict";
  var AGAIN_MS = 4000;
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

  function unkept(form, told) {
    var state = document.getElementById("state");
    var fault = document.createElement("p");
    fault.className = "fault";
    fault.textContent = "Not kept yet: " + told + " What you wrote stays on this page and is sent again.";
    state.replaceChildren(fault);
    setTimeout(function () { window.htmx.trigger(form, "input"); }, AGAIN_MS);
  }

  document.addEventListener("DOMContentLoaded", function () {  // after htmx: it has seen the forms by then
    document.querySelectorAll("form[hx-post]").forEach(function (form) {
      var typed = Array.prototype.some.call(form.elements, function (field) {
        return field.type !== "hidden" && field.defaultValue !== undefined && field.value !== field.defaultValue;
      });
      if (typed) { window.htmx.trigger(form, "input"); }
    });
  });

  document.addEventListener("htmx:sendError", function (event) {
    unkept(event.detail.elt, "the server cannot be reached.");
  });
  document.addEventListener("htmx:responseError", function (event) {
    var status = event.detail.xhr.status;
    var ended = status === 401 || status === 403;
    unkept(event.detail.elt, ended ? "the session has ended. Sign in with the same key in another tab." : "status " + status + ".");
  });
})();
