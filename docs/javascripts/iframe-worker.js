// Search of the built site when it is opened from disk: browsers start no worker from a file:, so
// the worker's script runs in a hidden frame. The name is what the theme's offline plugin looks for
// before it would ask an outside server for such a script.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.ready = new Promise((resolve) => { this.start = resolve; });
      document.body.appendChild(this.frame);
      const inside = this.frame.contentWindow;
      inside.document.open();
      inside.document.write("<!doctype html><body></body>");
      inside.document.close();
      // Straight across: both windows are of one origin. Later, as from a worker.
      inside.postMessage = (data) =>
        setTimeout(() => this.dispatchEvent(new MessageEvent("message", { data })));
      inside.importScripts = async (...scripts) => {
        for (const script of scripts) await load(inside.document, script);
      };
      load(inside.document, url).then(this.start);
    }

    postMessage(data) {
      // The frame's own postMessage leads out, as in a worker; this leads in.
      this.ready.then(() => {
        this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }));
      });
    }

    terminate() {
      this.frame.remove();
    }
  };
}

function load(document, url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${url} could not be loaded`));
    document.body.appendChild(script);
  });
}
