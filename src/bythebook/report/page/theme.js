// Light or dark: the reader's system decides until the button does. Runs before anything is drawn.
const root = document.documentElement;
const remembered = () => {
  try {
    return localStorage.getItem("bythebook-theme");
  } catch {
    return null; // a page opened from a file may have no storage
  }
};
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);
const theme = remembered();
if (theme === "light" || theme === "dark") root.dataset.theme = theme;

document.addEventListener("DOMContentLoaded", () => {
  const button = document.getElementById("theme");
  const show = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`);
  };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("bythebook-theme", root.dataset.theme);
    } catch {
      // it holds for this visit then
    }
    show();
  });
  systemDark.addEventListener("change", show);
  button.hidden = false;
  show();
});
