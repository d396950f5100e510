// The page of the service: submits jobs, watches them, shows and downloads their results.
import { move, setOpacity, setPlane, setWindow, show } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const watched = new Set();
let info = null;
let current = null;

// The key stays in this tab.
const key = () => sessionStorage.getItem("maisi-key");

// Seeds may be larger than this language's whole numbers: they stay text.
const parse = (text) => JSON.parse(text.replace(/"seed":(\d+)/g, '"seed":"$1"'));

async function call(path, options = {}) {
  const headers = new Headers(options.headers);
  if (key()) headers.set("Authorization", `Bearer ${key()}`);
  const response = await fetch(path, { ...options, headers });
  if (response.status === 401) $("key-form").hidden = false;
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({ title: `The service answered ${response.status}.` }));
  throw Object.assign(new Error([problem.title, problem.detail, problem.hint].filter(Boolean).join(" ")), { problem });
}

const say = (text) => { $("status").textContent = text; };

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

async function start() {
  try {
    info = await (await call("v1/maisi/info")).json();
  } catch (error) {
    $("service").textContent = error.problem?.status === 401 ? "This service needs a key." : error.message;
    return;
  }
  $("key-form").hidden = true;
  $("service").textContent = `Bundle ${info.bundle}${info.version ? ` ${info.version}` : ""}, ${info.program}`;
  const titles = { paired: "label map and image", "from-mask": "image of my label map", mask: "label map", image: "image" };
  $("kind").replaceChildren(...info.kinds.map((kind) => element("option", { value: kind, textContent: titles[kind] })));
  $("labels").replaceChildren(...Object.keys(info.labels).map((name) => element("option", { value: name })));
  $("regions").replaceChildren($("regions").querySelector("legend"), ...info.limits.body_regions.map((region) =>
    element("label", {}, element("input", { type: "checkbox", name: "region", value: region }), ` ${region}`)));
  $("count").max = info.limits.max_output_samples;
  document.getElementsByName("size").forEach((input, i) => { input.placeholder = info.defaults.output_size[i]; input.step = info.limits.divisor; input.min = info.limits.divisor; });
  document.getElementsByName("spacing").forEach((input, i) => { input.placeholder = info.defaults.spacing[i]; });
  // Windows are of CT, of which modalities up to 7 are.
  $("window").disabled = info.defaults.modality > 7;
  if ($("window").disabled) $("window").value = "";
  choose();
  const { jobs } = parse(await (await call("v1/jobs?limit=50")).text());
  $("list").replaceChildren();
  jobs.forEach((job) => { draw(job, true); watch(job); });
}

function choose() {
  const kind = $("kind").value;
  document.querySelectorAll("[data-kinds]").forEach((field) => { field.hidden = !field.dataset.kinds.split(" ").includes(kind); });
}

function request() {
  const kind = $("kind").value;
  const shown = (id) => !$(id).closest(".field").hidden;
  const three = (name) => {
    const values = [...document.getElementsByName(name)].map((input) => input.value);
    return values[0] !== "" && !document.getElementsByName(name)[0].closest(".field").hidden ? values.map(Number) : undefined;
  };
  const body = { kind, num_output_samples: Number($("count").value), output_size: three("size"), spacing: three("spacing") };
  if (shown("steps") && $("steps").value) body.num_inference_steps = Number($("steps").value);
  if (shown("anatomy") && $("anatomy").value) body.anatomy_list = $("anatomy").value.split(",").map((name) => name.trim()).filter(Boolean);
  if (kind === "paired") body.body_region = [...document.querySelectorAll("[name=region]:checked")].map((box) => box.value);
  if (shown("sizes") && $("sizes").value.trim())
    body.controllable_anatomy_size = $("sizes").value.trim().split("\n").map((line) => [line.split("=")[0].trim(), Number(line.split("=")[1])]);
  // A seed may be larger than this language's whole numbers: its digits go into the text as they are.
  const text = JSON.stringify(body);
  return /^\d+$/.test($("seed").value) ? text.replace(/}$/, `,"seed":${$("seed").value.replace(/^0+(?=\d)/, "")}}`) : text;
}

async function submit(event) {
  event.preventDefault();
  $("errors").replaceChildren();
  document.querySelectorAll("[aria-invalid]").forEach((input) => input.removeAttribute("aria-invalid"));
  const options = { method: "POST", headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()) }, body: request() };
  if ($("kind").value === "from-mask") {
    if (!$("mask").files.length) return wrong([{ field: "mask", detail: "choose a label map" }]);
    const form = new FormData();
    form.append("request", options.body);
    form.append("mask", $("mask").files[0]);
    options.body = form;
    delete options.headers["Content-Type"];
  }
  try {
    const job = parse(await (await call("v1/jobs", options)).text());
    say(`Submitted, seed ${job.seed}.`);
    draw(job);
    watch(job);
  } catch (error) {
    wrong(error.problem?.errors ?? [{ field: "", detail: error.message }]);
  }
}

function wrong(errors) {
  const inputs = { anatomy_list: "anatomy", num_output_samples: "count", seed: "seed", num_inference_steps: "steps", controllable_anatomy_size: "sizes", mask: "mask" };
  $("errors").replaceChildren(...errors.map(({ field, detail }) => element("li", { textContent: field ? `${field} ${detail}` : detail })));
  const first = errors.map(({ field }) => inputs[field.split("[")[0]]).find(Boolean);
  if (first) {
    $(first).setAttribute("aria-invalid", "true");
    $(first).focus();
  }
}

async function watch(job) {
  if (watched.has(job.id) || !["queued", "running"].includes(job.state)) return;
  watched.add(job.id);
  try {
    const reader = (await call(`v1/jobs/${job.id}/events`)).body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ;) {
      const { done, value } = await reader.read();
      if (done) break;
      const parts = (rest + value).split("\n\n");
      rest = parts.pop();
      for (const part of parts) {
        job = parse(part.split("\n").find((line) => line.startsWith("data:")).slice(5));
        draw(job);
      }
    }
    if (!["queued", "running"].includes(job.state)) say(`Job with seed ${job.seed}: ${job.state}.`);
  } catch (error) {
    // Deleted, here or elsewhere.
    if (error.problem?.status === 404) return drop(job);
    say(error.message);
  } finally {
    watched.delete(job.id);
  }
  if (["queued", "running"].includes(job.state)) setTimeout(() => watch(job), 2000);
}

function line(job) {
  if (job.state === "queued") return `waits${job.position ? `, place ${job.position}` : ""}${job.estimated_seconds ? `, about ${Math.ceil(job.estimated_seconds)} s` : ""}`;
  if (job.state === "running") return job.progress ? `${job.num_output_samples > 1 ? `sample ${Math.min((job.progress.samples ?? 0) + 1, job.num_output_samples)} of ${job.num_output_samples}, ` : ""}${job.progress.stage} ${job.progress.done}/${job.progress.total}` : "begins";
  return job.problem ? `${job.state}: ${job.problem.detail}` : job.state;
}

function draw(job, atEnd = false) {
  let item = $(`job-${job.id}`);
  if (!item) {
    item = element("li", { id: `job-${job.id}` });
    if (atEnd) $("list").append(item); else $("list").prepend(item);
  }
  $("none").hidden = true;
  // Redrawn only where it has changed, so that the focus stays.
  const title = `${job.kind}, ${job.num_output_samples} ${job.num_output_samples === 1 ? "sample" : "samples"}, seed ${job.seed}`;
  if (item.dataset.state === job.state) {
    item.querySelector(".line").textContent = line(job);
  } else {
    item.dataset.state = job.state;
    const button = (text, action) => element("button", { type: "button", textContent: text, ariaLabel: `${text}: ${title}`, onclick: () => action(job).catch((error) => say(error.message)) });
    const active = ["queued", "running"].includes(job.state);
    item.replaceChildren(
      element("p", {}, element("strong", { textContent: title })), element("p", { className: "line", textContent: line(job) }),
      ...(job.state === "running" ? [element("progress", { ariaLabel: title })] : []),
      element("div", { className: "buttons" }, ...(job.state === "succeeded" ? [button("View", view), button("Download ZIP", archive)] : []),
        ...(active ? [button("Cancel", cancel)] : []), button("Delete", remove)));
  }
  const bar = item.querySelector("progress");
  if (bar && job.progress) {
    const share = job.progress.stage === "denoise" ? job.progress.done / job.progress.total * 0.8 : job.progress.stage.includes("decode") ? 0.8 + 0.2 * job.progress.done / job.progress.total : 0;
    bar.value = Math.min(1, ((job.progress.samples ?? 0) + share) / job.num_output_samples);
  }
}

const cancel = async (job) => draw(parse(await (await call(`v1/jobs/${job.id}/cancel`, { method: "POST" })).text()));

function drop(job) {
  $(`job-${job.id}`)?.remove();
  $("none").hidden = $("list").children.length > 0;
  if (current?.id === job.id) $("result").hidden = true;
}

async function remove(job) {
  await call(`v1/jobs/${job.id}`, { method: "DELETE" });
  drop(job);
  $("jobs").focus();
  say("Deleted.");
}

const blob = async (job, name) => (await call(`v1/jobs/${job.id}/files/${name.split("/").map(encodeURIComponent).join("/")}`)).blob();

function save(content, name) {
  const link = element("a", { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

const archive = async (job) => save(await (await call(`v1/jobs/${job.id}/archive`)).blob(), `maisi_${job.id}.zip`);

async function view(job) {
  current = job;
  const stems = [...new Set(job.files.filter((f) => ["image", "label"].includes(f.role) && f.name.endsWith(".nii.gz")).map((f) => f.name.replace(/_(image|label)\.nii\.gz$/, "")))];
  $("sample").replaceChildren(...stems.map((stem) => element("option", { value: stem, textContent: stem })));
  $("files").replaceChildren(...job.files.map((file) => element("li", {}, element("button", {
    type: "button", textContent: `${file.name}, ${(file.bytes / 1024).toFixed(0)} KB`, onclick: async () => save(await blob(job, file.name), file.name),
  }))));
  $("manifest").textContent = await (await blob(job, "manifest.json")).text();
  $("result").hidden = false;
  await choosePicture();
  $("result").focus();
}

async function choosePicture() {
  const stem = $("sample").value;
  const file = async (end) => (current.files.some((f) => f.name === stem + end) ? blob(current, stem + end) : null);
  const [image, labels] = await Promise.all([file("_image.nii.gz"), file("_label.nii.gz")]);
  try {
    $("viewer").hidden = false;
    const drawn = await show($("canvas"), image, labels, info.labels, (place) => { $("place").textContent = place; });
    $("legend").replaceChildren(...drawn.map(({ name, colour }) => {
      const swatch = element("span", { className: "swatch", ariaHidden: "true" });
      swatch.style.background = colour;
      return element("li", {}, swatch, name);
    }));
    document.querySelectorAll("[data-needs]").forEach((tool) => { tool.hidden = !(tool.dataset.needs === "image" ? image : image && labels); });
    $("pictures").replaceChildren();
    setPlane(Number($("plane").value));
    setOpacity(image ? Number($("opacity").value) : 1);
    chooseWindow();
    say(`Shown: ${stem}.`);
  } catch (error) {
    const picture = await file("_overlay.png") ?? await file("_preview.png");
    $("viewer").hidden = true;
    $("legend").replaceChildren();
    $("pictures").replaceChildren(element("img", { src: URL.createObjectURL(picture), alt: `Three planes of ${stem}` }));
    say(`Shown as a picture, as the viewer cannot run here (${error.message}).`);
  }
}

const chooseWindow = () => setWindow($("window").value ? $("window").value.split(" ").map(Number) : null);

const steps = { ArrowLeft: [-1, 0, 0], ArrowRight: [1, 0, 0], ArrowUp: [0, 1, 0], ArrowDown: [0, -1, 0], PageUp: [0, 0, 1], PageDown: [0, 0, -1] };

$("job").addEventListener("submit", submit);
$("kind").addEventListener("change", choose);
$("sample").addEventListener("change", choosePicture);
$("plane").addEventListener("change", () => setPlane(Number($("plane").value)));
$("window").addEventListener("change", chooseWindow);
$("opacity").addEventListener("input", () => setOpacity(Number($("opacity").value)));
$("canvas").addEventListener("keydown", (event) => {
  if (!steps[event.key]) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  move(...steps[event.key]);
}, { capture: true });
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("maisi-key", $("key").value);
  start();
});
start();
