// Keys of the labelling page, and answers that outlive a lost connection. Without this file the page works by mouse, by
// Tab and by the browser's own keys.
(function () {
  "use strict";
  // Keys count from the first line of the page on: what is pressed before all of it has arrived waits for its end.
  var early = [], press = function (event) { early.push(event); };
  document.addEventListener("keydown", function (event) { press(event); });
  document.addEventListener("DOMContentLoaded", begin);

  function begin() {
    var form = document.getElementById("questions");
    var address = new URLSearchParams(location.search);
    var STORE = "judge-server.answers", OFF = "judge-server.keys-off", MOST = 50;

    function read(name, otherwise) {
      try { return JSON.parse(localStorage.getItem(name)) || otherwise; } catch (fault) { return otherwise; }
    }

    function write(name, value) {
      try { localStorage.setItem(name, JSON.stringify(value)); } catch (fault) { /* no room, or not allowed */ }
    }

    function place(item) { return [address.get("set"), address.get("annotator"), item].join("\n"); }

    var kept = read(STORE, {});
    if (address.get("done")) {
      delete kept[place(address.get("after"))];
      write(STORE, kept);
    }
    if (!form) { return; }
    var own = ["set", "annotator", "item"].map(function (name) {
      return form.querySelector("[name=" + name + "]").value;
    }).join("\n");
    var questions = Array.prototype.slice.call(form.querySelectorAll("fieldset"));

    function keep() {
      kept = read(STORE, {});
      delete kept[own];
      kept[own] = Array.prototype.slice.call(form.querySelectorAll("input:checked, #note")).map(function (one) {
        return [one.id, one.value];
      });
      Object.keys(kept).slice(0, -MOST).forEach(function (name) { delete kept[name]; });
      write(STORE, kept);
    }

    (kept[own] || []).forEach(function (pair) {
      var field = document.getElementById(pair[0]);
      if (!field || !form.contains(field)) { return; }
      if (field.type === "radio") { field.checked = true; } else { field.value = pair[1]; }
      document.getElementById("restored").hidden = false;
    });
    form.addEventListener("input", keep);

    var current = Math.max(questions.findIndex(function (one) { return !one.querySelector("input:checked"); }), 0);
    var single = document.getElementById("single");
    single.checked = !read(OFF, false);
    single.parentNode.hidden = false;

    function go(number, stay) {
      current = Math.min(Math.max(number, 0), questions.length - 1);
      questions.forEach(function (one, each) { one.classList.toggle("current", each === current); });
      var inputs = questions[current].querySelectorAll("input");
      var chosen = questions[current].querySelector("input:checked") || inputs[0];
      chosen.focus({ preventScroll: true });
      if (!stay) { questions[current].scrollIntoView({ block: "nearest" }); }
    }

    function answer(number) {
      var inputs = questions[current].querySelectorAll("input");
      if (number < 0 || number >= inputs.length) { return; }
      inputs[number].checked = true;
      keep();
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

    press = function (event) {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        if (!event.repeat) { form.requestSubmit(document.getElementById("partial")); }
        return;
      }
      if (event.ctrlKey || event.altKey || event.metaKey || event.target.tagName === "TEXTAREA") { return; }
      if (!single.checked) { return; }
      if (/^[1-9]$/.test(event.key)) {
        event.preventDefault();
        answer(Number(event.key) - 1);
      } else if (Object.prototype.hasOwnProperty.call(keys, event.key)) {
        event.preventDefault();
        keys[event.key]();
      }
    };
    single.addEventListener("change", function () {
      write(OFF, !single.checked);
      form.classList.toggle("keyed", single.checked);
    });
    form.addEventListener("focusin", function (event) {
      var within = questions.findIndex(function (one) { return one.contains(event.target); });
      if (within >= 0 && within !== current) { go(within); }
    });
    form.classList.toggle("keyed", single.checked);
    go(current, true);  // a page opens at its texts, also where the criteria stand below them
    early.forEach(press);
  }
})();
