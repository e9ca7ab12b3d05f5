// The search runs in a Worker, which browsers refuse to pages opened from disk. There, a hidden frame takes its place.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      const inside = frame.contentWindow;
      window.addEventListener("message", (event) => {
        if (event.source !== inside) return;
        event.stopImmediatePropagation();
        const answer = new MessageEvent("message", { data: event.data });
        this.dispatchEvent(answer);
        this.onmessage?.(answer);
      });
      inside.postMessage = inside.postMessage.bind(inside);
      this.inside = inside;
      this.ready = new Promise((loaded) => {
        const script = inside.document.createElement("script");
        const head = inside.document.createElement("script");
        head.textContent = `
          const toItself = window.postMessage;
          window.postMessage = (data) => parent.postMessage(data, "*");
          window.importScripts = (...urls) => urls.reduce(
            (before, url) => before.then(() => new Promise((done) => {
              const script = document.createElement("script");
              script.src = url;
              script.onload = done;
              document.body.append(script);
            })), Promise.resolve());
          window.receive = (data) => toItself(data, "*");`;
        script.src = url;
        script.onload = loaded;
        inside.document.body.append(head, script);
      });
    }

    postMessage(data) {
      this.ready.then(() => this.inside.receive(data));
    }

    terminate() {
      this.inside.frameElement.remove();
    }
  };
}
