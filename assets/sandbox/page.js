// Shows what the sandbox tells by Server-Sent Events. Values only ever become text.
"use strict";

const at = (id) => document.getElementById(id);

function row(cells) {
  const tr = document.createElement("tr");
  for (const [text, look] of cells) {
    const td = document.createElement("td");
    td.textContent = text;
    if (look) td.className = look;
    tr.append(td);
  }
  return tr;
}

function item(text) {
  const li = document.createElement("li");
  li.textContent = text;
  return li;
}

// Leaves the page's own hint in place while there is nothing to show.
function fill(id, rows) {
  if (rows.length) at(id).replaceChildren(...rows);
}

function signature(delivery) {
  if (delivery.verified === true) return ["✓ verified", "good"];
  if (delivery.verified === false) return ["✗ " + delivery.signature, "bad"];
  return ["? " + delivery.signature, "quiet"];
}

function show(seen) {
  at("contacts").textContent = seen.contacts;
  at("deliveries").textContent = seen.deliveries;
  fill("newest", seen.newest.map((contact) =>
    row([[contact.name], [contact.company], [contact.email], [contact.city], [contact.score, "number"]])));
  fill("lists", seen.lists.map((list) => item(`${list.name}: ${list.members} contacts`)));
  fill("latest", seen.latest.map((delivery) =>
    row([[delivery.time], [delivery.hook], [delivery.leads, "number"], [delivery.attempt, "number"],
         [delivery.status, "number"], signature(delivery), [delivery.body, "body"]])));
  fill("endpoints", seen.hooks.map((hook) =>
    item(`${hook.url}: answers ${hook.answers}, ${hook.secret_known ? "signatures checked" : "secret not known yet"}`)));
}

const events = new EventSource("/events");
events.onopen = () => { at("live").textContent = "Live."; };
events.onerror = () => { at("live").textContent = "Not connected: is the demo still running?"; };
events.onmessage = (event) => show(JSON.parse(event.data));
