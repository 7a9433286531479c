/**
 * Runs in both pages of a WebRTC call: the browser's own RTCPeerConnection, H.264 and Opus, sound and picture in one
 * stream, signalled through `globalThis.benchSignal(message)`, which hands the message to the other page's
 * `globalThis.benchCall.receive`. Reads `globalThis.benchSettings.maxBitrateBps`.
 */
(() => {
  /** The connections of the publishing page, one a call. */
  const calls = new Map();
  let viewing;
  let ownStream;

  function preferred(kind, mimeType) {
    const { codecs } = RTCRtpReceiver.getCapabilities(kind);
    const first = codecs.filter((codec) => codec.mimeType.toLowerCase() === mimeType);
    const repair = codecs.filter((codec) => /rtx|red|ulpfec|flexfec/.test(codec.mimeType.toLowerCase()));
    return [...first, ...repair];
  }

  function connection(call) {
    const made = new RTCPeerConnection();
    made.onicecandidate = ({ candidate }) => {
      if (candidate) globalThis.benchSignal({ call, candidate: candidate.toJSON() });
    };
    return made;
  }

  async function answer(call, offer) {
    const made = connection(call);
    calls.set(call, made);
    await made.setRemoteDescription(offer);
    for (const track of ownStream.getTracks()) made.addTrack(track, ownStream);
    await made.setLocalDescription();
    globalThis.benchSignal({ call, answer: made.localDescription.toJSON() });
    const sender = made.getSenders().find(({ track }) => track?.kind === "video");
    const parameters = sender.getParameters();
    parameters.encodings[0].maxBitrate = globalThis.benchSettings.maxBitrateBps;
    await sender.setParameters(parameters);
  }

  globalThis.benchCall = {
    async publish() {
      ownStream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    },
    /** What a page of an application has before anybody calls. */
    prepare() {
      const element = document.createElement("video");
      Object.assign(element, { autoplay: true, playsInline: true });
      document.body.append(element);
      viewing = { element };
    },
    /** Calls the publishing page; wall clock ms at which the call began. */
    async join(call) {
      const startMs = Date.now();
      const made = connection(call);
      viewing.connection = made;
      made
        .addTransceiver("audio", { direction: "recvonly" })
        .setCodecPreferences(preferred("audio", "audio/opus"));
      made
        .addTransceiver("video", { direction: "recvonly" })
        .setCodecPreferences(preferred("video", "video/h264"));
      made.ontrack = ({ track, streams }) => {
        viewing.element.srcObject = streams[0];
        if (track.kind === "audio") globalThis.benchListen(track);
      };
      await made.setLocalDescription();
      globalThis.benchSignal({ call, offer: made.localDescription.toJSON() });
      return startMs;
    },
    async receive(message) {
      const target = calls.get(message.call) ?? viewing?.connection;
      if (message.offer) await answer(message.call, message.offer);
      else if (message.answer) await target.setRemoteDescription(message.answer);
      else await target.addIceCandidate(message.candidate);
    },
    hangUp(call) {
      calls.get(call)?.close();
      calls.delete(call);
    },
    /** The browser's own inbound figures, to compare with what is measured from outside. */
    async stats() {
      const found = {};
      for (const report of (await viewing.connection.getStats()).values()) {
        if (report.type === "inbound-rtp") found[report.kind] = report;
        if (report.type === "transport") found.transport = report;
        if (report.type === "codec") found[report.mimeType] = report;
      }
      return found;
    },
  };
})();
