// Starts the page: theme first, then the program, then the service worker for offline use. What
// check.js left behind says what is wrong.
const kiln = window.kiln ?? {};

async function start() {
  const { app, appWasm } = document.querySelector("script[data-app]").dataset;
  const address = (name) => new URL(name, document.baseURI).href;
  try {
    const theme = localStorage.getItem("kiln-theme");
    if (theme) document.documentElement.setAttribute("data-theme", theme);
  } catch {
    // Storage may be forbidden: the system's theme then applies.
  }

  // Tells the service worker which version is in use, until this page goes.
  navigator.locks?.request(address(app), { mode: "shared" }, () => new Promise(() => {})).catch(() => {});

  const load = async (again = "") => {
    const { default: init } = await import(address(app + again));
    await init({ module_or_path: address(appWasm + again) });
  };
  try {
    await load().catch(async (error) => {
      // A program that ran and failed has arrived well.
      if (error instanceof WebAssembly.RuntimeError) throw error;
      console.warn("fetched again:", error);
      const came = await kiln.refetch([app, appWasm]);
      if (came !== "whole") return kiln.say(kiln.why(came));
      // By a name that nobody knows: the browser remembers what it could not read under this one.
      await load(`?again=${Date.now()}`);
    });
    if (kiln.stopped) return;
    document.getElementById("loading").remove();
    keepTexts();
  } catch (error) {
    console.error(error);
    return kiln.say(error instanceof WebAssembly.RuntimeError ? "stopped" : "broken");
  }

  try {
    // Needs https or localhost; elsewhere the page works without it, online only.
    await navigator.serviceWorker?.register("./sw.js");
  } catch (error) {
    console.warn("offline use:", error);
  }
}

/**
 * A translator puts elements of its own in the place of texts, and the program goes on writing into texts
 * that nobody sees: a text that is written into goes back to where it stood, to be translated anew.
 */
function keepTexts() {
  const places = new WeakMap();
  const observer = new MutationObserver((records) => {
    for (const { type, target, removedNodes, addedNodes, previousSibling, nextSibling } of records) {
      if (type === "characterData" && !target.isConnected) places.get(target)?.replaceWith(target);
      for (const text of removedNodes) {
        const place = [addedNodes[0], previousSibling, nextSibling].find((node) => node?.nodeName === "FONT");
        if (text.nodeType !== Node.TEXT_NODE || !place) continue;
        places.set(text, place);
        observer.observe(text, { characterData: true });
      }
    }
  });
  observer.observe(document.body, { childList: true, subtree: true });
}

// On the last line: a file that was cut short does not come here, and check.js fetches it again.
if (!kiln.stopped) { kiln.booted = true; start(); }
