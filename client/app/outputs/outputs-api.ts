/** Outputs and ingests of a room over the gateway's API; what they are is in core/wire/bridge-jobs.ts. */
import { z } from "zod";
import {
  type IngestSpec,
  ingestSpecSchema,
  jobStatusSchema,
  type OutputSpec,
  outputSpecSchema,
} from "../../../core/wire/bridge-jobs.ts";
import { askGateway } from "../gateway-request.ts";

const jobFields = {
  id: z.string(),
  room: z.string(),
  /** Null: no bridge has taken it yet. */
  status: jobStatusSchema.nullable(),
};
const outputSchema = z.object({ ...jobFields, createdAt: z.string(), spec: outputSpecSchema });
const ingestSchema = z.object({
  ...jobFields,
  spec: ingestSpecSchema,
  streamKey: z.string(),
  /** Where the sending program is pointed at; absent until a bridge takes it. */
  urls: z.object({
    rtmp: z.string().optional(),
    rtmps: z.string().optional(),
    icecast: z.string().optional(),
  }),
});
export type RoomOutput = z.infer<typeof outputSchema>;
export type RoomIngest = z.infer<typeof ingestSchema>;

/** What an output is to do; what is left out takes its default. */
export type OutputWish = Extract<z.input<typeof outputSpecSchema>, { type: OutputSpec["type"] }>;

/** All methods reject with GatewayRefusal. */
export class OutputsApi {
  readonly #room: string;
  readonly #token: string;

  /** `token`: a join token of the room, of an admin where the gateway takes no guests. */
  constructor(room: string, token: string) {
    this.#room = room;
    this.#token = token;
  }

  async outputs(signal: AbortSignal): Promise<readonly RoomOutput[]> {
    const path = this.#outputsPath();
    return (
      await askGateway(z.object({ outputs: z.array(outputSchema) }), { path, token: this.#token, signal })
    ).outputs;
  }

  startOutput(wish: OutputWish): Promise<RoomOutput> {
    return askGateway(outputSchema, {
      path: this.#outputsPath(),
      method: "POST",
      body: wish,
      token: this.#token,
    });
  }

  async stopOutput(id: string): Promise<void> {
    const path = `${this.#outputsPath()}/${encodeURIComponent(id)}`;
    await askGateway(z.unknown(), { path, method: "DELETE", token: this.#token });
  }

  async ingests(signal: AbortSignal): Promise<readonly RoomIngest[]> {
    const path = `/v1/ingests?room=${encodeURIComponent(this.#room)}`;
    const { ingests } = await askGateway(z.object({ ingests: z.array(ingestSchema) }), {
      path,
      token: this.#token,
      signal,
    });
    return ingests.filter((ingest) => ingest.room === this.#room);
  }

  createIngest(spec: IngestSpec): Promise<RoomIngest> {
    const body = { room: this.#room, ...spec };
    return askGateway(ingestSchema, { path: "/v1/ingests", method: "POST", body, token: this.#token });
  }

  async removeIngest(id: string): Promise<void> {
    const path = `/v1/ingests/${encodeURIComponent(id)}`;
    await askGateway(z.unknown(), { path, method: "DELETE", token: this.#token });
  }

  #outputsPath(): string {
    return `/v1/rooms/${encodeURIComponent(this.#room)}/outputs`;
  }
}
