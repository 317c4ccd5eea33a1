// The page works without this. With it: Enter sends the note, a form is sent once, and the focus goes to the result.
"use strict";
document.querySelectorAll(".with-script").forEach((hint) => { hint.hidden = false; });
const note = document.getElementById("narrative");
note?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    note.form.requestSubmit();
  }
});
document.querySelectorAll("form[method=post]").forEach((form) => {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    const busy = document.getElementById("busy");
    if (busy && form.id === "triage") { busy.textContent = "Reading the note …"; }
  });
});
window.addEventListener("pageshow", (event) => { // back from the browser's cache: the form may be sent again
  if (event.persisted) { document.querySelectorAll("form").forEach((form) => delete form.dataset.sent); }
});
document.getElementById("result")?.focus();
