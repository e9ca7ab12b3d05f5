"use strict";
(() => {
  const data = JSON.parse(document.getElementById("errors-data").textContent);
  const at = (id) => document.getElementById(id);
  const [form, list, count, pages] = ["filters", "error-list", "error-count", "error-pages"].map(at);
  const controls = ["model", "gold", "predicted", "group", "text", "suspect"].map((name) => at(`filter-${name}`));
  const [model, gold, predicted, group, text, suspect] = controls;
  const [before, after] = ["page-before", "page-after"].map(at);
  const SIZE = 50;
  const NO_ANSWER = "no answer";
  const { examples, labels, groups, passes, texts, directions, kinds, names } = data;
  let found = [];
  let start = 0;

  /* Data reach the page as text only. */
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const bdi = (value, kind) => make("bdi", kind ? { class: kind } : {}, value);
  const fact = (name, ...values) => make("div", {}, make("dt", {}, ...[name].flat()), make("dd", {}, ...values));
  const commas = (parts) => parts.flatMap((part, place) => (place ? [", ", ...part] : part));

  /* Letters that are written in several ways are taken for one. */
  const plain = (value) =>
    value.normalize("NFKC").toLowerCase()
      .replace(/[\u0640\u064b-\u065f\u0670]/g, "")
      .replace(/[\u0622\u0623\u0625\u0671]/g, "\u0627").replace(/\u0649/g, "\u064a").replace(/\u0629/g, "\u0647");

  const inputs = ["claim", "text"].filter((name) => name in examples);
  const searched = new Map();
  const searchable = (place) => {
    if (!searched.has(place)) {
      searched.set(place, plain([examples.id[place], ...inputs.map((name) => texts[examples[name][place]])].join("\n")));
    }
    return searched.get(place);
  };

  const share = (value) => (value > 0 ? "+" : "\u2212") + String(Math.abs(value));
  const grams = (side) => {
    const shown = [];
    for (let place = 0; place < side.length; place += 2) {
      const [kind, term] = names[side[place]];
      shown.push(make("span", { class: "gram" }, bdi(term), " ", make("small", {}, kinds[kind]), " ", share(side[place + 1])), " ");
    }
    return shown.length ? shown : ["nothing"];
  };

  const card = (run, place) => {
    const example = run.example[place];
    const guess = labels[run.predicted[place]] ?? NO_ANSWER;
    const line = make("p", { class: "line" }, bdi(examples.id[example], "id"),
      " ", make("span", {}, "gold ", make("b", {}, bdi(labels[examples.gold[example]]))),
      " ", make("span", {}, "predicted ", make("b", {}, bdi(guess))));
    if (examples.suspect[example]) line.append(" ", make("span", { class: "mark" }, "suspect"));
    const shown = inputs.map((name) => {
      const number = examples[name][example];
      const turned = directions[number] === "r";
      return make("p", { class: name, ...(turned ? { dir: "rtl", lang: "ar" } : { dir: "auto" }) }, texts[number]);
    });
    const facts = make("dl", { class: "about" }, fact("from", bdi(groups[examples.group[example]]), data.by_fold ? `, fold\u00a0${run.fold[place]}` : ""));
    if (run.probabilities) {
      const shares = run.probabilities.slice(place * labels.length, (place + 1) * labels.length);
      facts.append(fact("probabilities", ...commas(shares.map((value, code) => [bdi(labels[code]), ` ${(value / 1000).toFixed(3)}`]))));
    }
    if (passes.length && examples.passes) {
      facts.append(fact("annotators", ...commas(passes.map((name, number) => [bdi(name), " ", bdi(labels[examples.passes[number][example]])]))));
    }
    const both = run.explained && run.explained[place];
    const sides = both ? ["for ", "against "].map((word, side) => fact([word, bdi(guess)], ...grams(both[side]))) : [];
    return make("article", { class: "card" }, line, ...shown, facts, ...(both ? [make("dl", { class: "grams" }, ...sides)] : []));
  };

  const draw = () => {
    const run = data.runs[model.value];
    const end = Math.min(start + SIZE, found.length);
    list.replaceChildren(...found.slice(start, end).map((place) => card(run, place)));
    const all = run.example.length;
    const which = found.length === all ? `${all} errors` : `${found.length} of ${all} errors`;
    count.replaceChildren(found.length ? `${start + 1} to ${end} of ${which} of ` : `None of ${all} errors of `, bdi(run.name),
      found.length ? "." : " is like that.");
    pages.hidden = found.length <= SIZE;
    before.disabled = start === 0;
    after.disabled = end === found.length;
  };

  const filter = () => {
    const run = data.runs[model.value];
    const wanted = plain(text.value.trim());
    found = [];
    run.example.forEach((example, place) => {
      if ((gold.value === "" || examples.gold[example] === Number(gold.value))
        && (predicted.value === "" || run.predicted[place] === Number(predicted.value))
        && (group.value === "" || examples.group[example] === Number(group.value))
        && (!suspect.checked || examples.suspect[example])
        && (!wanted || searchable(example).includes(wanted))) found.push(place);
    });
    start = 0;
    draw();
  };

  const turn = (step) => {
    start += step;
    draw();
    list.focus({ preventScroll: true });
    count.scrollIntoView({ block: "start" });
  };

  const fill = (select, values, first) => {
    if (first) select.append(make("option", { value: "" }, first));
    values.forEach((value, place) => select.append(make("option", { value: place }, value)));
  };
  fill(model, data.runs.map((run) => `${run.name} (${run.example.length})`));
  fill(gold, labels, "any");
  fill(predicted, labels, "any");
  if (data.runs.some((run) => run.predicted.includes(-1))) predicted.append(make("option", { value: -1 }, NO_ANSWER));
  fill(group, groups, "all");
  for (const control of controls) control.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  before.addEventListener("click", () => turn(-SIZE));
  after.addEventListener("click", () => turn(SIZE));
  form.hidden = false;
  filter();
})();
