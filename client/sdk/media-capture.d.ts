/** MediaStreamTrackProcessor (mediacapture-transform), which TypeScript's DOM library does not declare yet. */
declare class MediaStreamTrackProcessor<Frame extends AudioData | VideoFrame> {
  constructor(init: { track: MediaStreamTrack; maxBufferSize?: number });
  readonly readable: ReadableStream<Frame>;
}
