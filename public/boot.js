// Starts the page: theme first, then the program, then the service worker for offline use.
const script = document.querySelector("script[data-app]");
try {
  const theme = localStorage.getItem("kiln-theme");
  if (theme) document.documentElement.setAttribute("data-theme", theme);
} catch {
  // Storage may be forbidden: the system's theme then applies.
}

const loading = document.getElementById("loading");
try {
  const { default: init } = await import(`./${script.dataset.app}`);
  await init({ module_or_path: new URL(script.dataset.appWasm, document.baseURI) });
  loading.remove();
} catch (error) {
  console.error(error);
  loading.textContent = "Kiln could not be loaded: reload the page, or try a browser of the last two years.";
}

// Needs https or localhost; elsewhere the page works without it, online only.
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("./sw.js").catch((error) => console.warn("offline use:", error));
}
