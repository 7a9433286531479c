/** Whether this browser can show a remote picture: makes its decoder ready, or tells the page why there will be none. */
import { spokenCodec } from "../../core/media/picture-codecs.ts";
import { canDecode } from "./picture-encodings.ts";
import type { WorkerRemoteTrack } from "./remote-track.ts";
import type { FromWorker } from "./worker-messages.ts";

type Post = (message: FromWorker) => void;

/** False = the track need not be subscribed to. True for sound. */
export async function makeShowable(track: WorkerRemoteTrack, post: Post): Promise<boolean> {
  const { video, codec, handle } = track;
  if (video === undefined) return true;
  const isDecodable = await canDecode(codec);
  // Another one by now, which is asked for by itself.
  if (codec !== track.codec) return false;
  if (!isDecodable) {
    const message = `This picture is sent in ${spokenCodec(codec)}, which this browser cannot show.`;
    tellUndecodable(track, message, post);
    return false;
  }
  video.setCodec(codec);
  if (track.isUndecodable) {
    track.isUndecodable = false;
    post({ type: "track-problem", handle, code: "", message: undefined });
  }
  return true;
}

export function tellUndecodable(track: WorkerRemoteTrack, message: string, post: Post): void {
  track.isUndecodable = true;
  post({ type: "track-problem", handle: track.handle, code: "undecodable", message });
}
