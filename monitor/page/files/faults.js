// Faults on demand: there only where the monitor says so, which is in the demo.

import { byId, make, say } from "./dom.js";

export const FAULTS = [
  ["Price falls by 3 %", { kind: "crash", percent: 3 }],
  ["Wild market for 120 s", { kind: "regime", mood: "wild", seconds: 120 }],
  ["Calm market for 120 s", { kind: "regime", mood: "calm", seconds: 120 }],
  ["Break the connection", { kind: "drop" }],
  ["Mute the ticker for 60 s", { kind: "mute", channel: "ticker", seconds: 60 }],
  ["Mute all for 60 s", { kind: "mute", seconds: 60 }],
  ["Refuse subscriptions for 60 s, and break", { kind: "refuse", seconds: 60 }, { kind: "drop" }],
  ["Skip a number", { kind: "skip" }],
  ["Repeat a frame", { kind: "repeat" }],
  ["Swap two frames", { kind: "reorder" }],
  ["Malformed frame", { kind: "malformed" }],
  ["Oversized frame", { kind: "oversized" }],
  ["Exchange's clock 90 s behind, 60 s long", { kind: "clock", step_seconds: -90, seconds: 60 }],
  ["Half a second a frame, 60 s long", { kind: "slow", seconds: 60 }],
];

export const delisting = (product) => [`Delist ${product} for 60 s`, { kind: "delist", product_id: product, seconds: 60 }];

export const standingWords = (faults) => (faults.length ? faults.map((each) => `${each.kind}, ${Math.ceil(each.left_seconds)} s more`).join("; ") : "none in force");

async function ask(method, body) {
  const given = body ? { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } } : {};
  const answer = await fetch("faults", { method, ...given }).catch(() => null);
  return answer;
}

async function look() {
  const answer = await ask("GET");
  say(byId("faults-standing"), answer?.ok ? standingWords((await answer.json()).faults) : "no answer from the simulator");
}

export function showFaults(product) {
  if (!byId("faults").hidden) return;
  byId("faults").hidden = false;
  const buttons = [...FAULTS, delisting(product)].map(([words, ...faults]) => {
    const button = make("button", {}, words);
    button.type = "button";
    button.addEventListener("click", async () => {
      for (const fault of faults) await ask("POST", fault);
      look();
    });
    return make("li", {}, button);
  });
  byId("faults-list").replaceChildren(...buttons);
  byId("faults-end").addEventListener("click", async () => {
    await ask("DELETE");
    look();
  });
  look();
  setInterval(() => document.hidden || look(), 5000);
}
