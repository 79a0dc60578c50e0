// Elements. Text enters the page as text nodes only; no string ever becomes markup.

const byId = (id) => document.getElementById(id);

// el("td", {class: "n", on: {click}}, "text" or nodes…); attributes that are null, undefined or false are left out.
function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listen] of Object.entries(value)) node.addEventListener(event, listen);
    } else if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

// A length or share for the style sheet, as a custom property: --name.
function measured(node, name, value) {
  node.style.setProperty(`--${name}`, String(value));
  return node;
}

const plural = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
const share = (n, of) => (of ? `${Math.round((100 * n) / of)} %` : "–");

function shortened(text, longest) {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

// Calls `act` once the reader has paused.
function afterPause(act, milliseconds) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds);
  };
}
