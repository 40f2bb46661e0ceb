(() => {
  const page = document.getElementById("page");
  const live = document.getElementById("live").dataset;
  // What a query holds may be good for one use, and that is the visitor's: it is not spent on finding out who answers.
  const own = live.poll && !live.poll.includes("query") ? location.origin + location.pathname : location.href;
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
  // The app answered at this address: into it, once, or to whoever must send again what it did not get.
  const arrive = () => {
    const again = document.getElementById("again");
    if (!again) return location.reload();
    for (const id of ["progress", "left", "services"]) document.getElementById(id).replaceChildren();
    document.getElementById("headline").textContent = document.title = page.dataset.again;
    again.hidden = false;
    again.addEventListener("click", () => location.reload());
  };
  const look = async () => {
    if (asking) return;
    asking = true;
    let pause = Number(page.dataset.pause), asked = 0;
    try {
      const headers = { accept: "text/html" };
      // What nobody sees is no use of the app.
      if (live.poll) headers["x-dormouse-poll"] = live.poll + (document.hidden ? ", hidden" : "");
      const answer = await fetch(live.page || own, { headers, cache: "no-store", redirect: live.poll ? "manual" : "follow", signal: AbortSignal.timeout(30000) });
      if (live.poll && answer.headers.get("x-dormouse") !== "wait") {
        // Between two target groups a load balancer may answer by itself for a moment.
        if ([502, 503, 504].includes(answer.status) && failures < 3) throw answer;
        return arrive();
      }
      asked = Number(answer.headers.get("retry-after")) || 0;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("page");
      // The address is not what it was: the page itself knows better.
      if (answer.status === 404 || (live.poll === "1" && [403, 429].includes(answer.status))) return location.reload();
      if (!answer.ok || !fresh) throw answer;
      failures = 0;
      show(fresh);
      pause = Number(page.dataset.pause);
      if (!live.poll && page.dataset.state === "ready") location.reload();
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
