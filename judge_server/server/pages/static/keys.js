// Keys of the labelling page. Without this file the page works by mouse, by Tab and by the browser's own keys.
(function () {
  "use strict";
  var form = document.getElementById("questions");
  if (!form) { return; }
  var questions = Array.prototype.slice.call(form.querySelectorAll("fieldset"));
  var current = Math.max(questions.findIndex(function (one) { return !one.querySelector("input:checked"); }), 0);

  function go(place) {
    current = Math.min(Math.max(place, 0), questions.length - 1);
    questions.forEach(function (one, number) { one.classList.toggle("current", number === current); });
    var inputs = questions[current].querySelectorAll("input");
    var chosen = questions[current].querySelector("input:checked") || inputs[0];
    chosen.focus({ preventScroll: true });
    questions[current].scrollIntoView({ block: "nearest" });
  }

  function answer(place) {
    var inputs = questions[current].querySelectorAll("input");
    if (place < 0 || place >= inputs.length) { return; }
    inputs[place].checked = true;
    if (current + 1 < questions.length) { go(current + 1); } else { document.getElementById("complete").focus(); }
  }

  function answerOf(value) {
    var inputs = Array.prototype.slice.call(questions[current].querySelectorAll("input"));
    answer(inputs.findIndex(function (one) { return one.value === value; }));
  }

  function follow(id) {
    var link = document.getElementById(id);
    if (link) { link.click(); }
  }

  var keys = {
    y: function () { answerOf("met"); },
    n: function () { answerOf("unmet"); },
    a: function () { answerOf("A"); },
    b: function () { answerOf("B"); },
    e: function () { answerOf("tie"); },
    u: function () { answerOf("unsure"); },
    s: function () { follow("skip"); },
    z: function () { follow("undo"); },
    ArrowDown: function () { go(current + 1); },
    ArrowUp: function () { go(current - 1); },
    "?": function () { var help = document.getElementById("help"); help.open = !help.open; }
  };

  document.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && event.ctrlKey) {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.tagName === "TEXTAREA") { return; }
    if (/^[1-9]$/.test(event.key)) {
      event.preventDefault();
      answer(Number(event.key) - 1);
    } else if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  form.addEventListener("focusin", function (event) {
    var within = questions.findIndex(function (one) { return one.contains(event.target); });
    if (within >= 0 && within !== current) { go(within); }
  });
  go(current);
})();
