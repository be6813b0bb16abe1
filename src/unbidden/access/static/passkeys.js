// Passkeys: asks the server what to ask the browser for, and sends back what the browser answers.
"use strict";

const csrf = () => document.querySelector("meta[name=csrf]").content;

const bytes = (text) => {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};

const text = (buffer) => {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

async function send(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    credentials: "same-origin",
    redirect: "manual",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf() },
    body: JSON.stringify(body),
  });
  if (answer.type === "opaqueredirect") throw new Error("Sign in again first, then try once more.");
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.why || "That did not work. Open the page again, and try once more.");
  return told;
}

const described = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

async function use() {
  const asked = await send("/sign-in/passkey/begin", {});
  const found = await navigator.credentials.get({
    publicKey: { ...asked, challenge: bytes(asked.challenge), allowCredentials: described(asked.allowCredentials) },
  });
  const { clientDataJSON, authenticatorData, signature, userHandle } = found.response;
  await send("/sign-in/passkey/finish", {
    id: found.id,
    rawId: text(found.rawId),
    type: found.type,
    response: {
      clientDataJSON: text(clientDataJSON),
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      userHandle: userHandle ? text(userHandle) : null,
    },
  });
}

async function make() {
  const asked = await send("/account/passkeys/begin", {});
  const made = await navigator.credentials.create({
    publicKey: {
      ...asked,
      challenge: bytes(asked.challenge),
      user: { ...asked.user, id: bytes(asked.user.id) },
      excludeCredentials: described(asked.excludeCredentials),
    },
  });
  const name = document.querySelector("[data-passkey-name]").value;
  await send(`/account/passkeys/finish?name=${encodeURIComponent(name)}`, {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: { clientDataJSON: text(made.response.clientDataJSON), attestationObject: text(made.response.attestationObject) },
  });
}

const ways = { use, make };

for (const button of document.querySelectorAll("[data-passkey]")) {
  button.addEventListener("click", async () => {
    const problem = document.querySelector("[data-passkey-problem]");
    problem.hidden = true;
    button.disabled = true;
    try {
      if (!window.PublicKeyCredential) throw new Error("This browser knows no passkeys here; they need https or localhost.");
      await ways[button.dataset.passkey]();
      window.location.assign(button.dataset.next);
    } catch (error) {
      problem.textContent = error.name === "NotAllowedError" ? "No passkey was used." : error.message;
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
}
