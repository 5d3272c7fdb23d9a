// Counts what a worker or a page asks of WebGPU, by standing before the browser's own methods.

/** Runs before the program that is watched, in its worker or page. What was counted is asked for by `calls`. */
function watch() {
  if (!self.GPUDevice) return;
  const counts = { dispatches: 0, submits: 0, bind_groups: 0, buffer_writes: 0, gpu_wait_ms: 0 };
  const before = (type, name, act) => {
    const own = type.prototype[name];
    type.prototype[name] = function (...args) {
      act();
      return own.apply(this, args);
    };
  };
  const counting = (type, name, what) => before(type, name, () => (counts[what] += 1));
  counting(GPUComputePassEncoder, "dispatchWorkgroups", "dispatches");
  counting(GPUComputePassEncoder, "dispatchWorkgroupsIndirect", "dispatches");
  counting(GPUDevice, "createBindGroup", "bind_groups");
  counting(GPUQueue, "writeBuffer", "buffer_writes");
  counting(GPUQueue, "submit", "submits");
  // A wait is from the last submit, or where nothing was submitted since the last answer from the question,
  // to the answer.
  let since = 0;
  let submitted = false;
  before(GPUQueue, "submit", () => {
    since = performance.now();
    submitted = true;
  });
  const map = GPUBuffer.prototype.mapAsync;
  GPUBuffer.prototype.mapAsync = function (mode, ...args) {
    const answer = map.call(this, mode, ...args);
    if (mode !== GPUMapMode.READ) return answer;
    if (!submitted) since = performance.now();
    const answered = () => {
      counts.gpu_wait_ms += performance.now() - since;
      since = performance.now();
      submitted = false;
    };
    answer.then(answered, answered);
    return answer;
  };
  const channel = new BroadcastChannel("gpu-calls");
  channel.onmessage = ({ data }) => data === "ask" && channel.postMessage(counts);
}

/** To be evaluated before anything else. */
export const watching = `(${watch})();\n`;

/** For `serve`: the engine's worker, watched. */
export const watchWorker = (path, body) => (/^worker-.*\.js$/.test(path) ? watching + body() : undefined);

/** What was asked of WebGPU since the page was opened. */
export const calls = (driver) =>
  driver.executeAsyncScript((done) => {
    const channel = new BroadcastChannel("gpu-calls");
    channel.onmessage = ({ data }) => {
      if (data === "ask") return;
      channel.close();
      done(data);
    };
    channel.postMessage("ask");
  });

/** What was asked between two readings. */
export const between = (before, after) =>
  Object.fromEntries(Object.keys(after).map((what) => [what, after[what] - before[what]]));
