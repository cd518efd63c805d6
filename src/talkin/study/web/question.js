"use strict";
/* A question with its five answers: native radio buttons, so that screen readers know them. */

function buildQuestions(form, questions, onScore) {
  form.replaceChildren();
  const fieldsets = questions.map((question) => {
    const fieldset = document.createElement("fieldset");
    const legend = document.createElement("legend");
    legend.textContent = question.text;
    const scores = document.createElement("div");
    scores.className = "scores";
    question.labels.forEach((word, index) => {
      scores.append(buildScore(question.name, index + 1, word, onScore));
    });
    fieldset.append(legend, scores);
    fieldset.dataset.question = question.name;
    form.append(fieldset);
    return fieldset;
  });
  return {
    show(scores, isOpen) {
      fieldsets.forEach((fieldset) => {
        fieldset.disabled = !isOpen;
        fieldset.querySelectorAll("input").forEach((input) => {
          input.checked = scores[fieldset.dataset.question] === Number(input.value);
        });
      });
    },
    /* The question that a digit answers: the one in focus, the first open one, or the last. */
    active(scores) {
      const focused = fieldsets.find((fieldset) => fieldset.contains(document.activeElement));
      const open = fieldsets.find((fieldset) => !(fieldset.dataset.question in scores));
      return (focused || open || fieldsets[fieldsets.length - 1]).dataset.question;
    },
  };
}

function buildScore(question, score, word, onScore) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  input.type = "radio";
  input.name = question;
  input.value = String(score);
  input.addEventListener("change", () => onScore(question, score));
  const number = document.createElement("b");
  number.textContent = String(score);
  const small = document.createElement("small");
  small.textContent = word;
  label.append(input, number, small);
  return label;
}
