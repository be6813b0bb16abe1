// When the session is over: the page says so in words, and keeps what is being written.
export function ended() {
  const top = document.querySelector(".top");
  if (!top || document.querySelector(".ended")) return;
  const bar = document.createElement("p");
  bar.className = "lacking ended";
  bar.setAttribute("role", "alert");
  const link = document.createElement("a");
  link.href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = "Sign in again";
  bar.append("You are signed out: your session has ended, and this page is no longer renewed. ", link, " to go on here.");
  top.after(bar);
}

// What a page asks for by itself is no use of the session, which would never end otherwise.
document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceEvent?.type.startsWith("live-")) ctx.request.headers["X-By-Itself"] = "true";
});

// An answer that says that something went wrong is never put into the page.
export function hear(tell) {
  document.addEventListener("htmx:response:error", (event) => {
    const { response, text } = event.detail.ctx;
    if (response.headers.get("HX-Redirect")) return;
    if (response.status === 401) return ended();
    const isPlain = (response.headers.get("Content-Type") ?? "").startsWith("text/plain");
    tell(isPlain && text ? text.trim().slice(0, 200) : `That did not work (${response.status}). Open the page again, and try once more.`);
  });
}

export async function isOver() {
  try { return (await fetch("/v1/sources", { headers: { "X-By-Itself": "true" } })).status === 401; } catch { return false; }
}
