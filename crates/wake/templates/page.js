(() => {
  const page = document.getElementById("page");
  const address = document.getElementById("live").dataset.page || location.href;
  const icon = document.querySelector("link[rel=icon]");
  let failures = 0, timer = 0, asking = false;
  // Makes one node like the other, touching only what differs: nothing flickers, and focus and live region stay.
  const liken = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== 1 || old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
    for (const name of old.getAttributeNames()) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const olds = [...old.childNodes], freshes = [...fresh.childNodes];
    freshes.forEach((node, at) => (at < olds.length ? liken(olds[at], node) : old.append(node)));
    olds.slice(freshes.length).forEach((node) => node.remove());
  };
  const show = (fresh) => {
    const now = fresh.dataset, before = page.dataset;
    const bar = fresh.querySelector("#bar"), shown = page.querySelector("#bar");
    if (bar && shown && now.generation === before.generation && Number(now.percent) < Number(before.percent)) {
      now.percent = before.percent;
      bar.replaceWith(shown.cloneNode(true));
    }
    liken(page, document.adoptNode(fresh));
    if (document.title !== page.dataset.title) document.title = page.dataset.title;
    if (icon.getAttribute("href") !== page.dataset.icon) icon.setAttribute("href", page.dataset.icon);
  };
  const later = (seconds) => {
    clearTimeout(timer);
    // Nobody sees a hidden tab but by its title and icon.
    timer = setTimeout(look, 1000 * (document.hidden ? Math.max(seconds, 15) : seconds));
  };
  const look = async () => {
    if (asking) return;
    asking = true;
    let pause = Number(page.dataset.pause), asked = 0;
    try {
      const answer = await fetch(address, { headers: { accept: "text/html" }, cache: "no-store", signal: AbortSignal.timeout(30000) });
      asked = Number(answer.headers.get("retry-after")) || 0;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("page");
      // The address is not what it was: the page itself knows better.
      if (answer.status === 404) return location.reload();
      if (!answer.ok || !fresh) throw answer;
      failures = 0;
      show(fresh);
      pause = Number(page.dataset.pause);
      if (page.dataset.state === "ready") location.reload();
    } catch {
      failures += 1;
      pause = Math.max(Math.min(2 ** failures, 60), asked);
      if (failures === 1) document.getElementById("headline").textContent = page.dataset.lost;
    }
    asking = false;
    later(pause);
  };
  document.addEventListener("visibilitychange", () => document.hidden || look());
  later(Math.min(Number(page.dataset.pause), 1));
})();
