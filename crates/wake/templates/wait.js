(() => {
  const live = document.getElementById("live");
  const at = (id) => document.getElementById(id);
  const labels = { asleep: "asleep", provisioning: "finding a place to run", pending: "pulling the image", starting: "starting", ready: "ready", failing: "failing" };
  const label = (stage) => labels[stage] || stage.replace(/^waiting-for:/, "waits for ");
  const headlines = {
    asleep: "It went back to sleep. Reload the page to wake it.",
    "falling-asleep": "It is going back to sleep. Reload the page to wake it.",
    waking: "Nobody was using it, so it slept. It is starting now.",
    awake: "It is awake, but does not answer at the moment.",
  };
  let shown = Number(live.dataset.percent);
  const bar = (percent) => {
    shown = Math.max(shown, percent);
    at("bar").setAttribute("aria-valuenow", String(shown));
    at("fill").style.width = shown + "%";
  };
  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.textContent = text;
    return made;
  };
  const show = (status) => {
    const blocking = status.errors.filter((error) => error.code !== "InvalidTag");
    const failing = blocking.length > 0 || status.services.some((service) => service.stage === "failing");
    const title = failing ? "Needs attention" : "Waking up";
    at("title").textContent = title;
    document.title = title + ": " + status.group;
    const headline = failing ? "It does not get ready. Here is what AWS says; we keep trying." : headlines[status.phase];
    if (at("headline").textContent !== headline) at("headline").textContent = headline;
    at("elapsed").textContent = status.elapsed_seconds === null ? "" : status.elapsed_seconds + " s so far.";
    bar(Math.min(99, Math.floor(status.progress * 100)));
    at("services").replaceChildren(...status.services.map((service) => {
      const row = element("li", "", "");
      row.append(element("span", "stage " + service.stage, label(service.stage)));
      row.append(element("b", "", service.name));
      row.append(element("span", "detail", service.detail === labels[service.stage] ? "" : service.detail || ""));
      return row;
    }));
    const unattached = status.errors.filter((error) => !error.service || error.code === "InvalidTag");
    at("problems").replaceChildren(...unattached.map((error) => element("span", "problem", error.message)));
  };
  let failures = 0;
  const look = async () => {
    let pause = Number(live.dataset.retry);
    try {
      const answer = await fetch(live.dataset.status, { headers: { accept: "application/json" }, cache: "no-store" });
      const status = await answer.json();
      if (status.ready) {
        bar(100);
        location.reload();
        return;
      }
      if (status.phase) show(status);
      if (status.phase === "asleep" || status.phase === "falling-asleep") return;
      failures = 0;
      pause = Math.max(1, status.retry_after_seconds || pause);
    } catch {
      failures = Math.min(failures + 1, 5);
      pause = 2 ** failures;
    }
    setTimeout(look, pause * 1000);
  };
  bar(shown);
  setTimeout(look, 1000);
})();
