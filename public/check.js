// Says why Kiln cannot start, in the place where it says "Kiln" until it has, and fetches anew what
// arrived broken. A classic script without a word that old browsers do not know, so that it runs where
// boot.js does not: in a browser without modules, from a file, in a sandboxed frame.
(function () {
  "use strict";
  var sentences = {
    en: {
      file: "Kiln cannot run from a file on disk: put its folder on a web server, for example with “python3 -m http.server”, and open it from there.",
      old: "This browser is too old for Kiln: use Chrome 96, Firefox 114, Safari 16.4 or newer.",
      simd: "The WebAssembly of this browser has no SIMD, with which Kiln computes: use Chrome 96, Firefox 114, Safari 16.4 or newer.",
      wasm: "WebAssembly is switched off here, and Kiln runs on it: allow it for this page (lockdown and enhanced security modes switch it off), or use another browser.",
      sandbox: "Kiln stands in a sandboxed frame here, which may not load its program: open it in a tab of its own.",
      updated: "Kiln was updated: reload the page.",
      missing: "A file of Kiln is missing on its server, perhaps because Kiln is being updated: wait a minute and reload the page.",
      foreign: "Something else answers in Kiln's place, such as the login page of this network: sign in there and reload the page.",
      offline: "Kiln could not be fetched: check the connection and reload the page.",
      broken: "Kiln arrived damaged, perhaps because it is being updated: wait a minute and reload the page.",
      stopped: "Kiln stopped while it was starting: reload the page, or use another browser.",
      reload: "Reload"
    },
    zh: {
      file: "Kiln 不能直接从磁盘文件运行：请把它的文件夹放到网页服务器上（例如运行 python3 -m http.server），再从那里打开。",
      old: "这个浏览器对 Kiln 来说太旧：请使用 Chrome 96、Firefox 114、Safari 16.4 或更新的版本。",
      simd: "这个浏览器的 WebAssembly 没有 Kiln 计算所需的 SIMD：请使用 Chrome 96、Firefox 114、Safari 16.4 或更新的版本。",
      wasm: "此处关闭了 WebAssembly，而 Kiln 需要它：请为本页面允许 WebAssembly（锁定模式和增强安全模式会关闭它），或换一个浏览器。",
      sandbox: "Kiln 位于沙盒框架中，无法加载程序：请在单独的标签页中打开。",
      updated: "Kiln 已更新：请刷新页面。",
      missing: "服务器上缺少 Kiln 的一个文件，可能正在更新：请稍等一分钟再刷新页面。",
      foreign: "回应的不是 Kiln，可能是当前网络的登录页：请先登录，再刷新页面。",
      offline: "无法获取 Kiln：请检查网络连接并刷新页面。",
      broken: "收到的 Kiln 文件已损坏，可能正在更新：请稍等一分钟再刷新页面。",
      stopped: "Kiln 在启动时停止了：请刷新页面，或换一个浏览器。",
      reload: "刷新"
    }
  };
  var language = /^zh/i.test(navigator.language || "") ? "zh" : "en";
  var kiln = (window.kiln = { stopped: false, booted: false, say: say, refetch: refetch, why: why });

  /** Puts a sentence in the page's place, with what helps. Nothing starts after it. */
  function say(what) {
    var place = document.getElementById("loading");
    kiln.stopped = true;
    if (!place) return;
    place.lang = language;
    place.setAttribute("data-trouble", what);
    place.textContent = sentences[language][what];
    var way;
    if (what === "sandbox") {
      way = document.createElement("a");
      way.href = location.href;
      way.target = "_blank";
      // Written out, because the frame may not open tabs either.
      way.textContent = location.href;
    } else if (!/^(file|old|simd|wasm)$/.test(what)) {
      way = document.createElement("button");
      way.className = "button";
      way.onclick = function () { location.reload(); };
      way.textContent = sentences[language].reload;
    }
    if (way) {
      place.appendChild(document.createElement("br"));
      place.appendChild(way);
    }
  }

  /** What went wrong with files of which `refetch` said this. */
  function why(came) {
    // Whoever is nobody gets nothing from a server that does not answer everybody.
    if (came === "offline" && self.origin === "null") return "sandbox";
    return came === "whole" ? "broken" : came;
  }

  function address(name) {
    return new URL(name, document.baseURI).href;
  }

  /** Throws a file out of what the service worker keeps. */
  function forget(file) {
    try {
      return caches.keys().then(function (names) {
        return Promise.all(names.map(function (name) {
          return /^kiln-site-/.test(name) && caches.open(name).then(function (cache) { return cache.delete(file); });
        }));
      }).catch(function () {});
    } catch (error) {
      // There is no such store in a sandboxed frame, and none on plain http.
      return Promise.resolve();
    }
  }

  /**
   * Fetches files past every cache, and says what came: "whole", "foreign" where it is no file of Kiln,
   * "missing", "updated" where the server has another Kiln instead, or "offline".
   */
  function refetch(names) {
    return Promise.all(names.map(function (name) {
      var file = address(name);
      return fetch(file, { cache: "reload" }).then(function (answer) {
        if (!answer.ok) return "missing";
        if (/text\/html/.test(answer.headers.get("content-type"))) return "foreign";
        // Read to its end: the browser keeps only what arrived whole. What is kept otherwise stays until
        // there is something better.
        return answer.arrayBuffer().then(function () { return forget(file); }).then(function () { return "whole"; });
      }).catch(function () { return "offline"; });
    })).then(function (all) {
      var bad = all.filter(function (came) { return came !== "whole"; })[0];
      return bad && bad !== "offline" ? isUpdated(names).then(function (is) { return is ? "updated" : bad; }) : bad || "whole";
    });
  }

  /** Whether the server's index is a Kiln that no longer names one of these files. */
  function isUpdated(names) {
    return fetch(address("./"), { cache: "no-store" }).then(function (answer) {
      return answer.ok ? answer.text() : "";
    }).then(function (index) {
      return /data-worker-wasm=/.test(index) && names.some(function (name) { return index.indexOf(name) < 0; });
    }).catch(function () { return false; });
  }

  // A function that takes what is outside of WebAssembly and gives four numbers at once: the two youngest
  // of what the programs are compiled to use.
  var needs = [0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 111, 1, 123];
  if (location.protocol === "file:") return say("file");
  if (!("noModule" in document.createElement("script")) || !window.fetch || !window.Promise || !window.OffscreenCanvas) return say("old");
  if (typeof WebAssembly !== "object") return say("wasm");
  if (!WebAssembly.validate(new Uint8Array(needs))) return say("simd");

  // By now everything has been fetched, or has failed.
  window.addEventListener("load", function () {
    var style = document.querySelector("link[rel=stylesheet]");
    var boot = document.querySelector("script[data-app]");
    // By a name that nobody knows: the browser remembers what it could not read under the other.
    var again = "?again=" + Date.now();
    if (style && !style.sheet) {
      refetch([style.getAttribute("href")]).then(function (came) {
        if (came === "whole") style.href = style.getAttribute("href") + again;
      });
    }
    if (kiln.booted) return;
    var name = boot.getAttribute("src");
    refetch([name]).then(function (came) {
      if (came !== "whole") return say(why(came));
      var script = document.createElement("script");
      script.type = "module";
      script.src = name + again;
      script.onload = function () { if (!kiln.booted) say("broken"); };
      script.onerror = function () { say("broken"); };
      document.head.appendChild(script);
    });
  });
})();
